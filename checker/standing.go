package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
)

// A standing is the step that was reached of each kata, by name: what held before and
// breaks again is said first. It is kept beside the checker, and to lose it costs nothing.
type standing map[string]int

func standingFile(root string) string { return filepath.Join(root, "bin", "standing.json") }

func loadStanding(root string) standing {
	s := standing{}
	if b, err := os.ReadFile(standingFile(root)); err != nil || json.Unmarshal(b, &s) != nil {
		return standing{}
	}
	return s
}

// save keeps the step below which each kata stands now: one more than there are for a
// kata that is climbed.
func (s standing) save(root string, verdicts []grade.Kata) {
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
