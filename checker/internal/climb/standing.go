// Package climb is what a learner does with a kata: go up its steps, look up one that is
// passed, begin anew.
package climb

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
)

// A Standing is the step below which each kata stands, by name; one more than there are
// for a kata that is climbed. What held before and breaks again is said first. It is kept
// beside the checker, and to lose it costs nothing.
type Standing map[string]int

func standingFile(root string) string { return filepath.Join(root, "bin", "standing.json") }

// Load reads the standing in the repository at root.
func Load(root string) Standing {
	s := Standing{}
	if b, err := os.ReadFile(standingFile(root)); err != nil || json.Unmarshal(b, &s) != nil {
		return Standing{}
	}
	return s
}

// Save keeps where the katas stand now.
func (s Standing) Save(root string, verdicts []grade.Kata) {
	for _, v := range verdicts {
		// What concerns no test, as a source that does not compile, says nothing of the steps.
		whole := slices.ContainsFunc(v.Findings, func(f detect.Finding) bool { return f.Test == "" })
		if len(v.Steps) == 0 || whole || v.Verdict == grade.NotJudged || v.Verdict == grade.CheckerError || v.Verdict == grade.NotRun {
			continue
		}
		at, ok := v.Stands()
		if !ok {
			at.Number = len(v.Steps) + 1
		}
		s[v.Name] = at.Number
	}
	if len(s) == 0 {
		return
	}
	if b, err := json.Marshal(s); err == nil {
		_ = os.WriteFile(standingFile(root), b, 0o644)
	}
}
