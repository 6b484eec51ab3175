package sharedmemory_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	sharedmemory "prokata/katas/03-shared-memory"
)

// The race: it passes because the harness has seen two processes at the same
// number at the same time.
func TestUnlockedRaceIsObserved(t *testing.T) {
	harness.Test(t)
	var races []harness.SharedRace
	for range 20 { // each run is a sample; nearly all show it
		races = harness.SharedRaces(t, func() {
			n, err := sharedmemory.Count(context.Background(), sharedmemory.Unlocked, 4, 1000)
			require.NoError(t, err, "Count returned an error, though no child had failed")
			assert.Positive(t, n, "Count returned no number, though 4 processes incremented it")
			assert.LessOrEqual(t, n, int64(4000), "Count returned more than 4 processes had counted together")
		})
		if len(races) > 0 {
			break
		}
	}
	require.NotEmpty(t, races, "in 20 runs, no two processes were seen at the number at the same time")
	for _, r := range races {
		assert.NotEqual(t, r.First.PID, r.Second.PID, "the two sides of a race were in one process")
		assert.True(t, r.First.Write || r.Second.Write, "neither side of a race wrote the number")
		for _, a := range []harness.Access{r.First, r.Second} {
			assert.True(t, strings.Contains(a.Line, ".go:"), "the line of an access was %q", a.Line)
		}
		t.Logf("number %d: process %d at %s and process %d at %s",
			r.Word, r.First.PID, r.First.Line, r.Second.PID, r.Second.Line)
	}
}

// Of two children one cannot get to its main function. The other one is ready, and
// has nothing to do but to wait for it.
func TestNoneBeginsBeforeAllAreReady(t *testing.T) {
	harness.Test(t)
	s := newStaircase(t)
	counted := make(chan error, 1)
	go func() {
		_, err := sharedmemory.Count(context.Background(), sharedmemory.Atomic, 2, 10)
		s.nobodyElse()
		counted <- err
	}()
	if pid := s.first(); pid > 0 {
		for range 8 { // in a check, a child also waits a moment for its siblings
			harness.Waiting(t, pid)
		}
		assert.False(t, s.firstHasEnded(), "a child had begun and ended before the other one was ready")
	}
	s.letPass()
	require.NoError(t, <-counted, "Count returned an error, though no child had failed")
}
