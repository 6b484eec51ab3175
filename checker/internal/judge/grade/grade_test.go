package grade

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/kata"
)

func TestJudge(t *testing.T) {
	k := kata.Kata{Number: 1, Name: "spawn", Tests: []kata.Test{{Name: "TestA", Group: kata.Core}, {Name: "TestB", Group: kata.Hard}}}
	run := func(a, b evidence.Test) evidence.Run {
		a.Name, b.Name = "TestA", "TestB"
		return evidence.Run{Build: evidence.Build{OK: true}, Tests: []evidence.Test{a, b}}
	}
	race := func(r evidence.Run) evidence.Run { r.RaceBuild = true; return r }
	pass := evidence.Test{Status: evidence.Passed}
	fail := evidence.Test{Status: evidence.Failed}
	open := evidence.Test{Status: evidence.Failed, Todo: []string{"Run"}}
	never := evidence.Test{}
	skipped := evidence.Test{Status: evidence.Skipped, Output: "    x_test.go:3: not checked on this system\n"}
	slow := evidence.Test{Status: evidence.Aborted, Unjudged: "the machine is too slow (load 58 on 2 cores)"}
	slowAndLeaked := slow
	slowAndLeaked.Left = evidence.Left{Files: []string{"x"}}
	leaked := evidence.Test{Status: evidence.Passed, Left: evidence.Left{Files: []string{"x"}}}
	for _, row := range []struct {
		name  string
		runs  []evidence.Run
		want  Verdict
		score int
	}{
		{"no run", nil, NotRun, 0},
		{"all passed", []evidence.Run{run(pass, pass)}, Pass, 5},
		{"one failed", []evidence.Run{run(pass, fail)}, Fail, 3},
		{"stub", []evidence.Run{run(open, open)}, NotStarted, 0},
		{"half-way", []evidence.Run{run(pass, open)}, Fail, 3},
		{"a passed test that met unwritten code earns nothing", []evidence.Run{run(pass, evidence.Test{Status: evidence.Passed, Todo: []string{"Run"}})}, Fail, 3},
		{"what happens in a test that met unwritten code says nothing", []evidence.Run{run(pass, evidence.Test{
			Status: evidence.Aborted, Todo: []string{"Run"}, Left: evidence.Left{Files: []string{"x"}}, Limit: &evidence.Limit{Kind: "time"}, Needs: 3,
			Races: []evidence.Race{{}}, Crashes: []evidence.Crash{{}}, Deadlock: &evidence.Deadlock{},
		})}, Fail, 3},
		{"nor on a stub", []evidence.Run{run(open, evidence.Test{Status: evidence.Aborted, Todo: []string{"Run"}, Deadlock: &evidence.Deadlock{}})}, NotStarted, 0},
		{"but tampering does", []evidence.Run{run(open, evidence.Test{Status: evidence.Failed, Todo: []string{"Run"}, Tampering: []string{"forged"}})}, Fail, 0},
		{"a leak costs the test", []evidence.Run{run(leaked, pass)}, Fail, 2},
		{"one never ran", []evidence.Run{run(pass, never)}, Fail, 3},
		{"no test ran", []evidence.Run{run(never, never)}, NotRun, 0},
		{"one cannot be run here", []evidence.Run{run(pass, skipped)}, Pass, 3},
		{"sometimes", []evidence.Run{run(pass, pass), run(pass, fail)}, Flaky, 3},
		{"always wrong", []evidence.Run{run(fail, pass), run(fail, pass)}, Fail, 2},
		{"does not compile", []evidence.Run{{}}, Fail, 0},
		{"the machine's fault", []evidence.Run{run(pass, slow)}, NotJudged, 3},
		{"the machine's fault, once", []evidence.Run{run(pass, pass), run(pass, slow)}, NotJudged, 3},
		{"the machine's fault, and the program's", []evidence.Run{run(fail, slow)}, Fail, 0},
		{"found all the same", []evidence.Run{run(pass, slowAndLeaked)}, Fail, 3},
		{"our fault", []evidence.Run{{Fault: "no space"}}, CheckerError, 0},
		{"both builds are one attempt", []evidence.Run{run(pass, pass), race(run(pass, pass))}, Pass, 5},
		{"wrong in one build is wrong", []evidence.Run{run(pass, pass), race(run(pass, fail))}, Fail, 3},
		{"wrong in the other", []evidence.Run{run(fail, pass), race(run(pass, pass))}, Fail, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := Judge(k, row.runs)
			assert.Equal(t, row.want, v.Verdict)
			assert.Equal(t, row.score, v.Score)
			assert.Equal(t, 5, v.Max)
		})
	}
}
