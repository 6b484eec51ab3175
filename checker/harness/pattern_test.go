package harness

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/source/kata"
)

// The tests that are expected are those that package testing chooses.
func TestChosen(t *testing.T) {
	k := kata.Kata{Tests: []kata.Test{{Name: "TestA"}, {Name: "TestB"}, {Name: "TestAB"}}}
	for _, row := range []struct {
		run, skip string
		want      []string
	}{
		{"", "", []string{"TestA", "TestB", "TestAB"}},
		{"TestA$", "", []string{"TestA"}},
		{"^TestA$/sub|TestB", "", []string{"TestA", "TestB"}},
		{"^(TestA|TestB)$/x/y", "", []string{"TestA", "TestB"}},
		{"Test[/|]A", "", nil},
		{"Typo", "", nil},
		{"", "A$", []string{"TestB", "TestAB"}},
		{"", "A$/sub|TestB", []string{"TestA", "TestAB"}},
	} {
		got, err := (&options{run: row.run, skip: row.skip}).chosen(k)
		require.NoError(t, err)
		assert.Equal(t, row.want, got, "%q %q", row.run, row.skip)
	}
	_, err := (&options{run: "(A"}).chosen(k)
	assert.Error(t, err)
}
