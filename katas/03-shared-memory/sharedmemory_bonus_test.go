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

// The fix: the harness watches as closely, and sees nothing.
func TestAtomicCount(t *testing.T) {
	harness.Test(t)
	for range 3 {
		n, err := sharedmemory.Count(context.Background(), sharedmemory.Atomic, 4, 1000)
		require.NoError(t, err, "Count returned an error, though no child had failed")
		require.EqualValues(t, 4000, n, "4 processes incremented the number 1,000 times each in one step, and increments were lost or doubled")
	}
}

func TestAddReturnsNewNumber(t *testing.T) {
	harness.Test(t)
	s := create(t, 2)
	v := value(t, s, 1)
	assert.EqualValues(t, 5, v.Add(5), "Add did not return the new number")
	assert.EqualValues(t, 3, v.Add(-2), "Add did not return the new number")
	assert.EqualValues(t, 3, v.Get(), "Get did not return what Add had made of the number")
}
