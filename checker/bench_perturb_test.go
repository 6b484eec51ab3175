package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"prokata/checker/internal/check"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/build"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/plan"
)

// raceRepeats is how many runs a check has to find a race in.
const raceRepeats = 5

// found are the races of testdata/races by test, with the codes that name them
// and the words of the benchmark for them.
var found = map[string]struct {
	codes []string
	name  string
}{
	"TestCounter":         {[]string{"wrong", "shared-race"}, "counter"},
	"TestLockOrder":       {[]string{"deadlock"}, "lock-order"},
	"TestStatThenCreate":  {[]string{"wrong"}, "stat-create"},
	"TestReadModifyWrite": {[]string{"wrong"}, "file-rmw"},
}

// BenchmarkPerturbation measures how many of 100 checks with five repeats
// (-benchtime=100x) find each of four races between two processes, by the name that
// they have for learners:
//
//	counter-%, …            of the checks, found in one of the repeats; at least 95
//	counter-undisturbed-%   the same where no repeat is disturbed, of fewer checks
func BenchmarkPerturbation(b *testing.B) {
	p := scratch(b, "races")
	self, err := os.Executable()
	require.NoError(b, err)
	builder := build.New(b.TempDir())
	o := check.Options{Repeat: raceRepeats, Supervisor: []string{self, "supervise"}}
	checkOnce := func(n int, disturbed bool) map[string]bool {
		o.Seed = uint64(n) * 101 // even and odd
		hits := map[string]bool{}
		p := p
		for i := range o.Repeat {
			p.Tests = slices.DeleteFunc(names(p.Kata), func(name string) bool { return hits[name] })
			if len(p.Tests) == 0 {
				break // all were found
			}
			attempt := check.Attempt(p, o, i)
			attempt.Perturb = attempt.Perturb && disturbed
			r, err := check.Run(b.Context(), builder, attempt, o.Supervisor)
			require.NoError(b, err)
			require.True(b, r.Build.OK, r.Build.Output)
			v := grade.Judge(p.Kata, []evidence.Run{r})
			require.Empty(b, v.Why)
			for _, f := range v.Findings {
				require.Contains(b, found[f.Test].codes, string(f.Code), "%+v", f)
				hits[f.Test] = true
			}
		}
		return hits
	}
	report := func(unit string, n int, hits map[string]int) {
		for name, race := range found {
			b.ReportMetric(100*float64(hits[name])/float64(n), race.name+unit)
		}
	}
	count := func(n int, disturbed bool) map[string]int {
		all := map[string]int{}
		for i := range n {
			for name := range checkOnce(i, disturbed) {
				all[name]++
			}
		}
		return all
	}
	report("-%", b.N, count(b.N, true))
	b.StopTimer()
	few := max(1, b.N/5)
	report("-undisturbed-%", few, count(few, false))
}

func names(k kata.Kata) []string {
	var all []string
	for _, t := range k.Tests {
		all = append(all, t.Name)
	}
	return all
}

// scratch makes a repository whose only kata is testdata/NAME, with this
// checker, and returns the plan for it.
func scratch(b testing.TB, name string) plan.Plan {
	root, err := filepath.Abs("..")
	require.NoError(b, err)
	dir := b.TempDir()
	folder := filepath.Join(dir, "katas", "01-"+name)
	require.NoError(b, os.CopyFS(folder, os.DirFS(filepath.Join("testdata", name))))
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(b, err)
		require.NoError(b, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	require.NoError(b, os.Symlink(filepath.Join(root, "checker"), filepath.Join(dir, "checker")))
	k, err := kata.Load(folder)
	require.NoError(b, err)
	p, err := plan.New(dir, k, "")
	require.NoError(b, err)
	return p
}
