//go:build linux

package box

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFolders: a compiler sees what it is shown, but not what is hidden in it; what it
// writes into a folder with a layer it reads again, and nobody else ever does; and all
// else it cannot write to.
func TestFolders(t *testing.T) {
	need(t)
	host := t.TempDir()
	put := func(path, text string) {
		require.NoError(t, os.MkdirAll(filepath.Join(host, filepath.Dir(path)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(host, path), []byte(text), 0o644))
	}
	put("repository/tests", "tests")
	put("repository/solutions/answer", "answer")
	put("repository/.git", "a file")
	put("a,b:c cache/object", "old")
	require.NoError(t, os.Mkdir(filepath.Join(host, "out"), 0o755))
	show, err := Programs([]string{"/usr/bin/sh", "/usr/bin/cat"})
	require.NoError(t, err)
	repository := filepath.Join(host, "repository")
	show[repository] = repository
	spec := Spec{
		Base: t.TempDir(), Show: show, Without: lacking(t),
		Write: []string{filepath.Join(host, "out")}, Layer: []string{filepath.Join(host, "a,b:c cache")},
		Hide:   []string{filepath.Join(repository, "solutions"), filepath.Join(repository, ".git"), filepath.Join(repository, "not-there")},
		Limits: Limits{MemoryMiB: 128, Tasks: 40, TmpMiB: 16, FileMiB: 16, Files: 256},
	}
	script := `
cat repository/tests "a,b:c cache/object"
cat repository/solutions/answer && echo ESCAPED: answer
cat repository/.git && test -s repository/.git && echo ESCAPED: history
echo evil > repository/tests && echo ESCAPED: tests
echo evil > repository/new && echo ESCAPED: new
echo evil > "a,b:c cache/object"; cat "a,b:c cache/object"
echo new > "a,b:c cache/other"
echo made > out/made
`
	cmd := exec.Command("/usr/bin/sh", "-c", script)
	cmd.Dir = host
	out, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	end, err := Start(self(), Exec, spec, cmd)
	require.NoError(t, err)
	_ = cmd.Wait()
	end()
	said, err := os.ReadFile(out.Name())
	require.NoError(t, err)
	assert.Contains(t, string(said), "testsoldcat: ")
	assert.Contains(t, string(said), "evil\n", "what was written into the layer is not read from it")
	assert.NotContains(t, string(said), "ESCAPED")
	for path, text := range map[string]string{"repository/tests": "tests", "repository/solutions/answer": "answer", "a,b:c cache/object": "old", "out/made": "made\n"} {
		b, err := os.ReadFile(filepath.Join(host, path))
		assert.NoError(t, err)
		assert.Equal(t, text, string(b), path)
	}
	assert.NoFileExists(t, filepath.Join(host, "repository/new"))
	assert.NoFileExists(t, filepath.Join(host, "a,b:c cache/other"))
}
