package check

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"prokata/checker/internal/evidence"
)

// Tried again is what the machine may have kept from its end, and its second run counts.
func TestHeldAndReplaced(t *testing.T) {
	limit := func(kind string, rest, denied float64) *evidence.Limit {
		return &evidence.Limit{Kind: kind, Rest: rest, Denied: denied}
	}
	r := evidence.Run{Seconds: 60, Tests: []evidence.Test{
		{Name: "TestPasses", Status: evidence.Passed},
		{Name: "TestSleeps", Status: evidence.Aborted, Limit: limit("time", 20, 0.1)},
		{Name: "TestWaits", Status: evidence.Aborted, Limit: limit("time", 20, 40)},
		{Name: "TestEats", Status: evidence.Aborted, Limit: limit("memory", 0, 9)},
		{Name: "TestUnknown", Status: evidence.Aborted, Unjudged: "the machine is too slow"},
	}}
	again := held(r)
	assert.Equal(t, []string{"TestWaits", "TestUnknown"}, again)
	replace(&r, evidence.Run{Seconds: 3, Tests: []evidence.Test{{Name: "TestWaits", Status: evidence.Passed}, {Name: "TestUnknown", Status: evidence.Failed}}})
	assert.Empty(t, held(r))
	assert.Equal(t, evidence.Passed, r.Tests[2].Status)
	assert.Equal(t, evidence.Failed, r.Tests[4].Status)
	assert.NotNil(t, r.Tests[1].Limit)
	assert.InDelta(t, 63, r.Seconds, 0)
}
