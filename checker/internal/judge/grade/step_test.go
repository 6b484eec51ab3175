package grade

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/kata"
)

// A step holds when all of its tests do, and its points are earned as a whole.
func TestClimb(t *testing.T) {
	k := kata.Kata{
		Name: "x",
		Steps: []kata.Step{
			{Name: "one", Group: kata.Core}, {Name: "two", Group: kata.Core}, {Name: "three", Group: kata.Hard},
		},
		Tests: []kata.Test{{Name: "TestA", Step: 1}, {Name: "TestB", Step: 2}, {Name: "TestC", Step: 2}, {Name: "TestD", Step: 3}},
	}
	const p, f, o, n = evidence.Passed, evidence.Failed, "open", evidence.Status("")
	for _, row := range []struct {
		name   string
		tests  []evidence.Status // of A, B, C, D
		stands int               // 0: all hold
		score  int
		want   Verdict
	}{
		{"nothing is written", []evidence.Status{o, n, n, n}, 1, 0, NotStarted},
		{"the first step is wrong", []evidence.Status{f, n, n, n}, 1, 0, Fail},
		{"half of the second", []evidence.Status{p, p, f, n}, 2, 3, Fail},
		{"the third is not written", []evidence.Status{p, p, p, o}, 3, 6, Fail},
		{"all", []evidence.Status{p, p, p, p}, 0, 8, Pass},
		{"all but what was there before", []evidence.Status{f, p, p, p}, 1, 5, Fail},
		{"the last cannot be tried here", []evidence.Status{p, p, p, evidence.Skipped}, 0, 6, Pass},
	} {
		t.Run(row.name, func(t *testing.T) {
			run := evidence.Run{Build: evidence.Build{OK: true}}
			for i, s := range row.tests {
				test := evidence.Test{Name: k.Tests[i].Name, Step: k.Tests[i].Step, Status: s}
				switch s {
				case o:
					test.Status, test.Todo = evidence.Failed, []string{"x: Run"}
				case evidence.Skipped:
					test.Output = "    x_test.go:1: not checked on this system\n"
				}
				run.Tests = append(run.Tests, test)
			}
			v := Judge(k, []evidence.Run{run})
			at, below := v.Stands()
			assert.Equal(t, row.stands != 0, below)
			assert.Equal(t, row.stands, at.Number)
			assert.Equal(t, row.score, v.Score)
			assert.Equal(t, 8, v.Max)
			assert.Equal(t, row.want, v.Verdict)
		})
	}
}
