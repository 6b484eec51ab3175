package shm_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/tree/watch"
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

// correct are the jobs without a race.
var correct = []string{
	"flock", "spin lock", "atomic", "private", "read sharing", "handed over",
	"seqlock", "futex lock", "double-checked with atomics", "published", "pipe as a semaphore", "message in a pipe",
}

// counting are those of them that increment the counter once a round.
var counting = []string{"flock", "spin lock", "atomic", "ofd lock", "futex lock", "pipe as a semaphore"}

// atomics are those of them that make no plain access.
var atomics = []string{"atomic", "seqlock"}

func TestNoFalseAlarm(t *testing.T) {
	for _, job := range correct {
		t.Run(job, func(t *testing.T) {
			res := crew{job: job, members: 4, rounds: 3000, watched: true}.run(t)
			assert.Empty(t, res.races)
			if slices.Contains(counting, job) {
				assert.EqualValues(t, 4*3000, res.counter, "the lock of the test itself is wrong")
			}
			if !slices.Contains(atomics, job) {
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

// BenchmarkWatchCost compares the same run with and without the watch, by turns,
// and reports the ratio of the medians. Run it race-built, as a check is.
func BenchmarkWatchCost(b *testing.B) {
	for _, c := range []crew{
		{job: "flock", rounds: 1000},
		{job: "flock", rounds: 20_000},
		{job: "spin lock", rounds: 20_000},
		{job: "atomic", rounds: 20_000},
		{job: "private", rounds: 20_000},
	} {
		b.Run(fmt.Sprintf("%s-%d", c.job, c.rounds), func(b *testing.B) {
			var times [2][]time.Duration
			for range b.N {
				for i, watched := range []bool{false, true} {
					c.members, c.watched = 4, watched
					start := time.Now()
					c.run(b)
					times[i] = append(times[i], time.Since(start))
				}
			}
			b.ReportMetric(float64(median(times[1]))/float64(median(times[0])), "overhead-x")
			b.ReportMetric(median(times[0]).Seconds()*1000, "unwatched-ms")
			b.ReportMetric(0, "ns/op") // both together mean nothing
		})
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// BenchmarkFalseAlarms runs correct programs, one round of all of them an
// operation.
func BenchmarkFalseAlarms(b *testing.B) {
	alarms, watches := 0, int64(0)
	for range b.N {
		for _, job := range correct {
			res := crew{job: job, members: 4, rounds: 50_000, watched: true}.run(b)
			for _, r := range res.races {
				b.Errorf("%s: a false alarm: %+v", job, r)
			}
			alarms += len(res.races)
			watches += res.watches
		}
	}
	b.ReportMetric(float64(alarms), "false-alarms")
	b.ReportMetric(float64(watches), "watches")
}

// BenchmarkUnwatched measures plain accesses outside of a check beside those to
// a slice.
func BenchmarkUnwatched(b *testing.B) {
	b.Setenv(watch.Env, "")
	m, _ := newMemory(b, crewWords)
	b.Run("memory", func(b *testing.B) {
		for i := range b.N {
			m.Store(i%crewWords, m.Load(i%crewWords)+1)
		}
	})
	b.Run("slice", func(b *testing.B) {
		words := make([]int64, crewWords)
		for i := range b.N {
			words[i%crewWords]++
		}
	})
}
