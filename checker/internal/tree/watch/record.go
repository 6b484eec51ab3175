package watch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"prokata/checker/internal/evidence"
)

// Env names the environment variable that holds the folder for tables and
// record. The supervisor of a check sets it, for every process of the check,
// and makes the folder, outside of the program's own temp folder.
const Env = "PROKATA_WATCH"

const (
	racesFile   = "races.jsonl"
	tableSuffix = ".watch"
)

// A line is one line of the record, one of two kinds:
//
//	{"word":0,"accesses":[{"op":"read","pid":71,"frames":[…]},{"op":"write","pid":72,"frames":[…]}]}
//	{"expect":[0,412]}
//
// The first is a race, in the form of evidence.SharedRace: the access that was
// watched, then the one that came in between. The second says that the test
// asked for the races whose lines begin at offset 0 or later and before offset
// 412.
type line struct {
	evidence.SharedRace
	Expect []int64 `json:"expect,omitempty"`
}

// expectation is the second kind of line.
type expectation struct {
	Expect [2]int64 `json:"expect"`
}

// Size returns the length of the record in dir: the offset of what comes next.
func Size(dir string) (int64, error) {
	st, err := os.Stat(filepath.Join(dir, racesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("watch: %w", err)
	}
	return st.Size(), nil
}

// Expect marks the races whose lines begin from offset from on and before
// offset to as expected by the test.
func Expect(dir string, from, to int64) error {
	if err := appendLine(filepath.Join(dir, racesFile), expectation{[2]int64{from, to}}); err != nil {
		return fmt.Errorf("watch: expect: %w", err)
	}
	return nil
}

// Read returns the races whose lines begin from offset from on and before
// offset to, which may be -1 for the end of the record. A line that a killed
// process left unfinished is passed over.
func Read(dir string, from, to int64) ([]evidence.SharedRace, error) {
	b, err := os.ReadFile(filepath.Join(dir, racesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	var (
		races    []evidence.SharedRace
		begins   []int64 // of each race
		expected [][]int64
	)
	for at := 0; at < len(b); {
		text, _, _ := bytes.Cut(b[at:], []byte("\n"))
		begin := int64(at)
		at += len(text) + 1
		var l line
		if json.Unmarshal(text, &l) != nil {
			continue
		}
		switch {
		case len(l.Expect) == 2:
			expected = append(expected, l.Expect)
		case len(l.Accesses) == 2 && begin >= from && (to < 0 || begin < to):
			races = append(races, l.SharedRace)
			begins = append(begins, begin)
		}
	}
	for i := range races {
		for _, e := range expected {
			races[i].Expected = races[i].Expected || e[0] <= begins[i] && begins[i] < e[1]
		}
	}
	return races, nil
}
