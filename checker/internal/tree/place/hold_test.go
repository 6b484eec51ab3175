package place

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A folder that somebody holds is never swept, and one that nobody does always.
func TestHoldAndSweep(t *testing.T) {
	base := t.TempDir()
	held, let, err := Hold(base, "prokata-x-")
	require.NoError(t, err)
	left, gone, err := Hold(base, "prokata-x-")
	require.NoError(t, err)
	gone() // as if its maker had been killed
	require.NoError(t, os.WriteFile(left+"/file", nil, 0o600))
	other, err := os.MkdirTemp(base, "other-")
	require.NoError(t, err)
	Sweep(base, "prokata-x-*", os.RemoveAll)
	assert.DirExists(t, held)
	assert.NoDirExists(t, left)
	assert.DirExists(t, other)
	let()
	Sweep(base, "prokata-x-*", os.RemoveAll)
	assert.NoDirExists(t, held)
}
