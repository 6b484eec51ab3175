package place

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever TMPDIR is, the folder that is taken has a short path, plain characters, and
// can be written to.
func TestTemp(t *testing.T) {
	base, err := os.MkdirTemp("/tmp", "p")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(base)) })
	file := filepath.Join(base, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	link := filepath.Join(base, "link")
	require.NoError(t, os.Symlink(base, link))
	for _, row := range []struct{ name, dir, want string }{
		{"a good one", base, base},
		{"a link to it", link, base},
		{"long", strings.Repeat("x", 60), ""},
		{"a space", "a b", ""},
		{"a comma", "a,b", ""},
		{"a colon", "a:b", ""},
		{"a quote", "a'b", ""},
		{"a percent sign", "a%p", ""},
		{"letters of another alphabet", "äö", ""},
		{"a line break", "a\nb", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := row.dir
			if !filepath.IsAbs(dir) {
				dir = filepath.Join(base, dir)
				require.NoError(t, os.MkdirAll(dir, 0o700))
			}
			t.Setenv("TMPDIR", dir)
			got, err := Temp()
			require.NoError(t, err)
			if row.want != "" {
				row.want, _ = filepath.EvalSymlinks(row.want)
				assert.Equal(t, row.want, got)
			} else {
				assert.NotEqual(t, dir, got)
			}
			assert.LessOrEqual(t, len(got), longest)
			assert.Empty(t, strings.Trim(got, plain))
		})
	}
	for _, dir := range []string{"relative", file, filepath.Join(base, "missing"), "/proc"} {
		_, err := suits(dir)
		assert.Error(t, err, dir)
	}
}

// A look finds nothing on a machine that is in order, and names what is missing.
func TestLook(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not checked on this system: what the kernel allows")
	}
	assert.Empty(t, Look(Need{Files: 64, Tasks: 10, Bytes: 1 << 20, Loopback: true}))
	lacks := Look(Need{Files: 1 << 40, Bytes: 1 << 20})
	require.NotEmpty(t, lacks)
	assert.Contains(t, lacks[0], "ulimit -n")
}
