// Package record keeps evidence in a folder, one JSON file a run, so that it can
// be judged again.
package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/kata"
)

// Save writes one run's evidence into dir, which it makes if need be. n is the
// number of the repeat, from 0.
func Save(dir string, r evidence.Run, n int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("save evidence: %w", err)
	}
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("save evidence: %w", err)
	}
	name := fmt.Sprintf("%s.%d.json", r.Kata, n)
	// A reader must never find half a file.
	tmp := filepath.Join(dir, "."+name)
	if err := os.WriteFile(tmp, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("save evidence: %w", err)
	}
	if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
		return fmt.Errorf("save evidence: %w", err)
	}
	return nil
}

// A Kata is one kata's facts, as its runs hold them, and the runs.
type Kata struct {
	Facts kata.Kata
	Runs  []evidence.Run
}

// name is that of a saved run: "01-spawn.0.json".
var name = regexp.MustCompile(`^(\d\d)-([a-z0-9-]+)\.(\d+)\.json$`)

// Load reads what Save wrote, in the order of the katas and of the repeats.
func Load(dir string) ([]Kata, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	runs := map[string]map[int]evidence.Run{}
	var folders []string
	for _, e := range entries {
		m := name.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		path := filepath.Join(dir, e.Name())
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read evidence: %w", err)
		}
		var r evidence.Run
		if err := json.Unmarshal(b, &r); err != nil {
			return nil, fmt.Errorf("read evidence: %s: %w", path, err)
		}
		if r.Version != evidence.Version {
			return nil, fmt.Errorf("read evidence: %s has version %d, and this checker knows version %d: save it again", path, r.Version, evidence.Version)
		}
		folder := m[1] + "-" + m[2]
		n, _ := strconv.Atoi(m[3])
		if runs[folder] == nil {
			runs[folder] = map[int]evidence.Run{}
			folders = append(folders, folder)
		}
		runs[folder][n] = r
	}
	if len(folders) == 0 {
		return nil, errors.New(dir + " holds no evidence: `checker check --save DIR` writes it")
	}
	slices.Sort(folders)
	var all []Kata
	for _, folder := range folders {
		k := Kata{Facts: kata.Kata{Folder: folder, Name: folder[3:]}}
		k.Facts.Number, _ = strconv.Atoi(folder[:2])
		for n := range len(runs[folder]) {
			if r, ok := runs[folder][n]; ok {
				k.Runs = append(k.Runs, r)
			}
		}
		for _, r := range k.Runs {
			if len(k.Facts.Tests) > 0 {
				break
			}
			for _, s := range r.Steps {
				k.Facts.Steps = append(k.Facts.Steps, kata.Step{Name: s.Name, Goal: s.Goal, Group: kata.Group(s.Group)})
			}
			for _, t := range r.Tests {
				k.Facts.Tests = append(k.Facts.Tests, kata.Test{Name: t.Name, Group: kata.Group(t.Group), Step: t.Step, Processes: t.Needs})
			}
		}
		all = append(all, k)
	}
	return all, nil
}
