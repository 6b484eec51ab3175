package climb

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/patch"
)

// repository makes one with a kata of two steps, and returns it with its stub as it came.
func repository(t *testing.T) (root string, k kata.Kata, stub patch.Files) {
	root = t.TempDir()
	k = kata.Kata{
		Name: "a", Folder: "01-a", Dir: filepath.Join(root, "katas", "01-a"), Files: []string{"a.go", "b.go"},
		Steps: []kata.Step{{Name: "one"}, {Name: "two"}},
	}
	stub = patch.Files{"a.go": []byte("package a\n// TODO\n"), "b.go": []byte("package a\n")}
	one := patch.Files{"a.go": []byte("package a\n// one\n"), "b.go": stub["b.go"]}
	two := patch.Files{"a.go": []byte("package a\n// one\n// two\n"), "b.go": stub["b.go"], "c.go": []byte("package a\n")}
	dir := filepath.Join(root, "testdata", "steps", k.Folder)
	require.NoError(t, stub.Write(k.Dir))
	require.NoError(t, two.Write(filepath.Join(root, "solutions", k.Folder)))
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "01-one.patch"), patch.Make("one", stub, one), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "02-two.patch"), patch.Make("two", one, two), 0o600))
	return root, k, stub
}

func read(t *testing.T, k kata.Kata, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(k.Dir, name))
	require.NoError(t, err)
	return string(b)
}

// The stub is as it came afterwards, and nothing that the learner wrote is lost, however
// often it is done.
func TestReset(t *testing.T) {
	root, k, stub := repository(t)
	kept, err := Reset(root, k)
	require.NoError(t, err)
	assert.Empty(t, kept, "there was nothing to do")
	for n, old := range []string{"a.go.old1", "a.go.old2"} {
		mine := patch.Files{"a.go": []byte("package a\n// mine" + old + "\n"), "extra.go": []byte("package a\n// more" + old + "\n")}
		require.NoError(t, mine.Write(k.Dir))
		kept, err = Reset(root, k)
		require.NoError(t, err)
		require.Len(t, kept, 2)
		assert.Equal(t, Kept{"a.go", old}, kept[0])
		assert.Equal(t, string(mine["a.go"]), read(t, k, kept[0].New))
		assert.Equal(t, string(mine["extra.go"]), read(t, k, kept[1].New))
		now, err := patch.Read(k.Dir)
		require.NoError(t, err)
		assert.Equal(t, stub, now, "reset %d", n+1)
	}
}

// What a step adds, and what of it a learner's source lacks.
func TestSolutionAndDiff(t *testing.T) {
	root, k, _ := repository(t)
	text, err := Solution(root, k, 1)
	require.NoError(t, err)
	assert.Contains(t, text, "--- before/a.go\n+++ after/a.go\n")
	assert.Contains(t, text, "-// TODO\n+// one\n")
	text, err = Solution(root, k, 2)
	require.NoError(t, err)
	assert.Contains(t, text, " // one\n+// two\n")
	assert.NotContains(t, text, "TODO")
	assert.Contains(t, text, "after/c.go")

	require.NoError(t, os.WriteFile(filepath.Join(k.Dir, "a.go"), []byte("package a\n// one\n"), 0o600))
	text, err = Diff(root, k, 1)
	require.NoError(t, err)
	assert.Empty(t, text)
	text, err = Diff(root, k, 2)
	require.NoError(t, err)
	assert.Contains(t, text, "--- yours/a.go\n+++ reference/a.go\n")

	k.Steps = nil
	_, err = Diff(root, k, 1)
	assert.ErrorContains(t, err, "git checkout katas/01-a")
}
