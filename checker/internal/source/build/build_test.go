package build

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A compiler that does not come to its end is ended, and that is what it is said to have
// complained of.
func TestLongest(t *testing.T) {
	b := New(t.TempDir())
	b.Longest = time.Nanosecond
	complaints, err := b.compile(t.Context(), ".", false, []string{"version"}, nil)
	require.NoError(t, err)
	assert.Equal(t, "the compiler had not ended after 1ns", complaints)
}
