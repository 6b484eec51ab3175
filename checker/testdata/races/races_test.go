package races_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	"prokata/checker/shm"
	races "prokata/katas/01-races"
)

func TestCounter(t *testing.T) {
	harness.Test(t)
	path := filepath.Join(t.TempDir(), "words")
	require.NoError(t, os.WriteFile(path, make([]byte, shm.WordSize), 0o600))
	require.NoError(t, races.Count(path))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, byte(2), text[0], "an update was lost")
}

func TestLockOrder(t *testing.T) {
	harness.Test(t)
	dir := t.TempDir()
	require.NoError(t, races.LockBoth(filepath.Join(dir, "a"), filepath.Join(dir, "b")))
}

func TestStatThenCreate(t *testing.T) {
	harness.Test(t)
	path := filepath.Join(t.TempDir(), "lock")
	require.NoError(t, races.Claim(path))
	winners, err := filepath.Glob(path + ".*")
	require.NoError(t, err)
	assert.Len(t, winners, 1, "who got it")
}

func TestReadModifyWrite(t *testing.T) {
	harness.Test(t)
	path := filepath.Join(t.TempDir(), "number")
	require.NoError(t, os.WriteFile(path, []byte("0"), 0o600))
	require.NoError(t, races.Add(path))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "2", string(text), "an update was lost")
}
