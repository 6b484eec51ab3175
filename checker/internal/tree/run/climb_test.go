package run

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"prokata/checker/internal/evidence"
)

// Who climbs is taken step by step, and no further than the first that does not hold.
func TestTogether(t *testing.T) {
	tests := []*evidence.Test{{Name: "A", Step: 1}, {Name: "B", Step: 1}, {Name: "C", Step: 2}, {Name: "Own", Group: "own"}}
	assert.Equal(t, tests[:3], together(tests, false))
	assert.Equal(t, tests[:2], together(tests, true))
	assert.Equal(t, tests[2:3], together(tests[2:], true))
}

func TestBelow(t *testing.T) {
	for _, row := range []struct {
		name string
		a, b evidence.Test
		want bool
	}{
		{"both hold", evidence.Test{Status: evidence.Passed}, evidence.Test{Status: evidence.Passed}, false},
		{"one fails", evidence.Test{Status: evidence.Passed}, evidence.Test{Status: evidence.Failed}, true},
		{"one was ended, the other is to be tried", evidence.Test{Status: evidence.Aborted}, evidence.Test{}, true},
		{"one is to be tried", evidence.Test{Status: evidence.Passed}, evidence.Test{}, false},
		{"one met what is not written", evidence.Test{Status: evidence.Passed, Todo: []string{"x: Run"}}, evidence.Test{Status: evidence.Passed}, true},
		{"one left something", evidence.Test{Status: evidence.Passed, Left: evidence.Left{Files: []string{"x"}}}, evidence.Test{Status: evidence.Passed}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.a.Step, row.b.Step = 1, 1
			assert.Equal(t, row.want, below([]evidence.Test{row.a, row.b, {Step: 2}}, 1))
		})
	}
}
