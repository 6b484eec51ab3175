package run

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/observe"
)

// What a test did ends it, and what the machine did never does.
func TestOverTime(t *testing.T) {
	const s = time.Second
	for _, row := range []struct {
		reason string
		slow   float64
		spent  observe.Spent
		limit  int64 // the bound that was hit, or 0
		judged bool
	}{
		{"nothing yet", 1, observe.Spent{}, 0, true},
		{"it slept", 1, observe.Spent{Rest: 21 * s, Wall: 22 * s}, 20, true},
		{"it computed", 1, observe.Spent{CPU: 21 * s, Wall: 22 * s}, 20, true},
		{"it computed on a slow machine", 4, observe.Spent{CPU: 79 * s, Wall: 80 * s}, 0, true},
		{"it computed without end on a slow machine", 4, observe.Spent{CPU: 81 * s, Wall: 80 * s}, 80, true},
		{"others had the processors", 1, observe.Spent{CPU: s, Rest: s, Denied: 300 * s, Wall: 302 * s}, 0, true},
		{"others had the processors for too long", 1, observe.Spent{CPU: s, Rest: s, Denied: 320 * s, Wall: 322 * s}, 0, false},
	} {
		limit, unjudged := overTime(20, row.slow, row.spent)
		assert.Equal(t, row.judged, unjudged == "", row.reason)
		if row.limit == 0 {
			assert.Nil(t, limit, row.reason)
		} else if assert.NotNil(t, limit, row.reason) {
			assert.Equal(t, row.limit, limit.Bound, row.reason)
		}
	}
}

// Each test may use its own time, but not all of them.
func TestOverRun(t *testing.T) {
	const s = time.Second
	assert.Nil(t, overRun(20, 1, observe.Spent{Rest: 199 * s, CPU: 199 * s}))
	assert.NotNil(t, overRun(20, 1, observe.Spent{Rest: 201 * s}))
	assert.NotNil(t, overRun(20, 1, observe.Spent{CPU: 201 * s}))
	assert.Nil(t, overRun(20, 4, observe.Spent{CPU: 799 * s}), "on a slow machine")
}

func TestFactor(t *testing.T) {
	assert.InDelta(t, 1, factor(time.Millisecond, true), 0, "a fast machine gives no less time")
	assert.InDelta(t, 10, factor(120*time.Millisecond, true), 1e-9)
	assert.InDelta(t, 4, factor(12*time.Millisecond, false), 1e-9)
	assert.InDelta(t, slowest, factor(time.Hour, false), 0)
}

// The tests after so many that could not be judged are not tried.
func TestHopelessly(t *testing.T) {
	all := []evidence.Test{{Status: evidence.Aborted, Unjudged: "slow"}, {Status: evidence.Passed}, {Status: evidence.Aborted, Unjudged: "slow"}, {}}
	assert.False(t, hopelessly(all))
	assert.Empty(t, all[3].Unjudged)
	all[1] = evidence.Test{Status: evidence.Aborted, Unjudged: "slow"}
	assert.True(t, hopelessly(all))
	assert.Equal(t, "slow", all[3].Unjudged)
}
