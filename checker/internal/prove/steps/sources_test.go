package steps

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/source/kata"
)

// Downwards from the solution are the same sources as upwards from the stub.
func TestSources(t *testing.T) {
	root, err := kata.Root(".")
	require.NoError(t, err)
	katas, err := kata.All(root)
	require.NoError(t, err)
	for _, k := range katas {
		sources, err := Sources(root, k)
		if len(k.Steps) == 0 {
			require.ErrorIs(t, err, ErrNone)
			continue
		}
		require.NoError(t, err, k.Name)
		up, err := All(root, k)
		if err != nil {
			t.Logf("%s is not as it came: %v", k.Name, err) // verify says so of a repository where that is wrong
			continue
		}
		require.Len(t, sources, len(up)+1)
		for i, w := range up {
			assert.Equal(t, w.Files, sources[i+1], "%s, step %d", k.Name, i+1)
		}
		stub, err := stub(k)
		require.NoError(t, err)
		assert.Equal(t, stub, sources[0], k.Name)
	}
}
