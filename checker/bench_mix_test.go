package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"prokata/checker/internal/check"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/build"
)

// BenchmarkMix measures how many mistakes some repeats find, if all of them are
// race-built, three of five (what check.Attempt does), or the first two alone; of the 13 between goroutines in
// testdata/kernels, and the 4 between processes in testdata/races:
//
//	found-1, found-2, …   tests with a finding after so many repeats, on average
func BenchmarkMix(b *testing.B) {
	self, err := os.Executable()
	require.NoError(b, err)
	for _, name := range []string{"kernels", "races"} {
		for mix, raceBuilt := range map[string]func(i int) bool{
			"all":           func(int) bool { return true },
			"three-of-five": func(i int) bool { return i%5 != 2 && i%5 != 3 },
			"first-two":     func(i int) bool { return i < 2 },
		} {
			b.Run(name+"/"+mix, func(b *testing.B) {
				p := scratch(b, name)
				builder := build.New(b.TempDir())
				sum := make([]int, raceRepeats)
				for n := range b.N {
					o := check.Options{Repeat: raceRepeats, Supervisor: []string{self, "supervise"}, Seed: uint64(n) * 101}
					hits := map[string]bool{}
					for i := range o.Repeat {
						attempt := check.Attempt(p, o, i)
						attempt.Race = raceBuilt(i)
						r, err := check.Run(b.Context(), builder, attempt, o.Supervisor)
						require.NoError(b, err)
						require.True(b, r.Build.OK, r.Build.Output)
						for _, f := range grade.Judge(p.Kata, []evidence.Run{r}).Findings {
							hits[f.Test] = true
						}
						sum[i] += len(hits)
					}
				}
				for i, hits := range sum {
					b.ReportMetric(float64(hits)/float64(b.N), "found-"+string(rune('1'+i)))
				}
			})
		}
	}
}
