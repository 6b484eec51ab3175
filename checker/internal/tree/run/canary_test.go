package run

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"prokata/checker/internal/evidence"
)

func pointers(all []evidence.Test) (ps []*evidence.Test) {
	for i := range all {
		ps = append(ps, &all[i])
	}
	return ps
}

// A canary is a copy: whatever becomes of it, the test itself has its turn later. Each test
// may be one.
func TestDraw(t *testing.T) {
	drawn := map[string]bool{}
	for range 500 {
		all := []evidence.Test{{Name: "A"}, {Name: "B"}, {Name: "C"}}
		l := &lot{on: true}
		tests, canaries := l.draw(all, pointers(all))
		assert.Len(t, tests, 3)
		assert.Len(t, canaries, 1)
		for _, test := range tests {
			if canaries[test.Name] {
				drawn[test.Name] = true
			}
			test.Status = evidence.Failed
		}
		left := 0
		for i := range all {
			if all[i].Status == "" {
				left++
				assert.True(t, canaries[all[i].Name])
				tests, canaries = l.draw(all, []*evidence.Test{&all[i]})
				assert.Len(t, tests, 2, "it is not alone in its process")
				assert.Len(t, canaries, 1)
				assert.False(t, canaries[all[i].Name], "its own turn has come")
			}
		}
		assert.Equal(t, 1, left)
	}
	assert.Len(t, drawn, 3)
	all := []evidence.Test{{Name: "A"}}
	tests, canaries := (&lot{}).draw(all, pointers(all))
	assert.Equal(t, pointers(all), tests)
	assert.Empty(t, canaries, "who is trusted has none")
}

func TestLies(t *testing.T) {
	s := &session{canaries: map[string]bool{"A": true, "B": true}, tests: []*evidence.Test{
		{Name: "A", Status: evidence.Failed}, {Name: "B", Status: evidence.Passed}, {Name: "C", Status: evidence.Passed},
	}}
	assert.Equal(t, []string{"B was made to fail this time, and was said to have passed"}, s.lies())
}
