package shm_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRacesAreFound(t *testing.T) {
	for _, job := range []string{"unlocked", "locked write only", "plain beside atomic"} {
		t.Run(job, func(t *testing.T) {
			// One run is a sample; so the runs go on until one has seen it.
			var res result
			for len(res.races) == 0 {
				res = crew{job: job, members: 4, rounds: 1000, watched: true}.run(t)
			}
			for _, r := range res.races {
				require.Len(t, r.Accesses, 2)
				assert.Zero(t, r.Word)
				writes := 0
				for _, a := range r.Accesses {
					assert.Positive(t, a.PID)
					require.NotEmpty(t, a.Frames)
					assert.Contains(t, a.Frames[0].File, "crew_test.go")
					if a.Op == "write" || a.Op == "atomic write" {
						writes++
					}
				}
				assert.Positive(t, writes)
				assert.NotEqual(t, r.Accesses[0].PID, r.Accesses[1].PID)
			}
			assert.LessOrEqual(t, len(res.races), 6, "each pair of lines is told once")
		})
	}
}

func TestNoFalseAlarm(t *testing.T) {
	for _, job := range []string{"flock", "spin lock", "atomic", "private", "read sharing", "handed over"} {
		t.Run(job, func(t *testing.T) {
			res := crew{job: job, members: 4, rounds: 3000, watched: true}.run(t)
			assert.Empty(t, res.races)
			if job != "atomic" {
				assert.Positive(t, res.watches)
			}
			t.Log("watches:", res.watches)
		})
	}
}

// BenchmarkUnlocked measures how often one run of 4 processes, each with 1,000
// unlocked increments, is found out.
func BenchmarkUnlocked(b *testing.B) {
	found, watches := 0, int64(0)
	for range b.N {
		res := crew{job: "unlocked", members: 4, rounds: 1000, watched: true}.run(b)
		watches += res.watches
		if len(res.races) > 0 {
			found++
		}
	}
	b.ReportMetric(100*float64(found)/float64(b.N), "found-%")
	b.ReportMetric(float64(watches)/float64(b.N), "watches/op")
}

// BenchmarkCost compares a run with and without the watch.
func BenchmarkCost(b *testing.B) {
	for _, job := range []string{"flock", "spin lock", "private", "atomic"} {
		b.Run(job, func(b *testing.B) {
			for name, watched := range map[string]bool{"plain": false, "watched": true} {
				b.Run(name, func(b *testing.B) {
					for range b.N {
						crew{job: job, members: 4, rounds: 20_000, watched: watched}.run(b)
					}
				})
			}
		})
	}
}
