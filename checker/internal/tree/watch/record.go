package watch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"prokata/checker/internal/evidence"
)

// Env names the environment variable that holds the folder for tables and
// record. The supervisor of a check sets it, for every process of the check,
// and makes the folder, outside of the program's own temp folder.
const Env = "PROKATA_WATCH"

// RacesFile is the record, in that folder.
const RacesFile = "races.jsonl"

const tableSuffix = ".watch"

// Size returns the length of the record in dir: the offset of what comes next.
func Size(dir string) (int64, error) {
	st, err := os.Stat(filepath.Join(dir, RacesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("watch: %w", err)
	}
	return st.Size(), nil
}

// Read returns the races whose lines begin from offset from on and before
// offset to, which may be -1 for the end of the record.
func Read(dir string, from, to int64) ([]evidence.SharedRace, error) {
	b, err := os.ReadFile(filepath.Join(dir, RacesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	end := int64(len(b))
	if to >= 0 {
		end = min(to, end)
	}
	return Races(b[min(from, end):end], 0, nil), nil
}

// Races reads a part of the record, which begins at offset begin of it. A line is
//
//	{"word":0,"accesses":[{"op":"read","pid":71,"frames":[…]},{"op":"write","pid":72,"frames":[…]}]}
//
// which is a race, in the form of evidence.SharedRace: the access that was watched, then
// the one that came in between. One that a killed process left unfinished is passed over.
// Expected are the parts of the record, from one offset to before another, whose races the
// tests had asked for.
func Races(text []byte, begin int64, expected [][2]int64) (races []evidence.SharedRace) {
	for line := range bytes.Lines(text) {
		at := begin
		begin += int64(len(line))
		var r evidence.SharedRace
		if json.Unmarshal(line, &r) != nil || len(r.Accesses) != 2 {
			continue
		}
		r.Expected = slices.ContainsFunc(expected, func(e [2]int64) bool { return e[0] <= at && at < e[1] })
		races = append(races, r)
	}
	return races
}
