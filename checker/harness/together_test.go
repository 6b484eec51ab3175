package harness

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/tree/wire"
)

// A sibling is read off the line that announce wrote.
func TestAlike(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, wire.ChildFile)
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	announce(dir)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	mine := string(text)
	me, parent := strconv.Itoa(os.Getpid()), strconv.Itoa(os.Getppid())
	alive := strings.Replace(mine, `"pid":`+me, `"pid":`+parent, 1)
	for _, row := range []struct {
		reason, started string
		want            bool
	}{
		{"alone", mine, false},
		{"with one that lives", mine + alive, true},
		{"with one that has ended", mine + strings.Replace(mine, `"pid":`+me, `"pid":4194305`, 1), false}, // above the kernel's most
		{"with one that does something else", mine + strings.Replace(alive, `"name":"`, `"name":"other`, 1), false},
		{"with somebody else's child", mine + strings.Replace(alive, `"parent":`+parent, `"parent":1`+parent, 1), false},
	} {
		require.NoError(t, os.WriteFile(path, []byte(row.started), 0o600))
		assert.Equal(t, row.want, alike(path), row.reason)
	}
}
