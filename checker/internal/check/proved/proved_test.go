package proved

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/plan"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// repository makes one with a kata, and a source in another folder.
func repository(t *testing.T) (root string, key func(tools string) string) {
	root = t.TempDir()
	write(t, root+"/go.mod", "module prokata\n")
	write(t, root+"/go.sum", "")
	write(t, root+"/checker/harness/harness.go", "package harness\n")
	write(t, root+"/katas/01-a/a.go", "package a\n")
	write(t, root+"/katas/01-a/a_test.go", "package a\n")
	write(t, root+"/katas/01-a/kata.json", "{}")
	write(t, root+"/mine/01-a/a.go", "package a // mine\n")
	k := kata.Kata{Folder: "01-a", Name: "a", Files: []string{"a.go"}, Dir: root + "/katas/01-a"}
	return root, func(tools string) string {
		p, err := plan.New(root, k, root+"/mine")
		require.NoError(t, err)
		s := Store{Dir: root + "/kept", checker: func() (string, error) { return checker(root) }}
		return s.Key(p, tools)
	}
}

// Whatever a verdict hangs on has another key when it changes; what it does not hang on
// has not.
func TestKey(t *testing.T) {
	for _, row := range []struct {
		change string // of this file
		same   bool
	}{
		{"mine/01-a/a.go", false},
		{"mine/01-a/b.go", false},
		{"katas/01-a/a_test.go", false},
		{"katas/01-a/kata.json", false},
		{"checker/harness/harness.go", false},
		{"checker/shm/callers_amd64.s", false},
		{"go.mod", false},
		{"go.sum", false},
		{"katas/01-a/a.go", true}, // the source stands in its place
		{"checker/harness/harness_test.go", true},
		{"README.md", true},
	} {
		t.Run(row.change, func(t *testing.T) {
			root, key := repository(t)
			before := key("go1.26")
			require.NotEmpty(t, before)
			assert.Equal(t, before, key("go1.26"))
			assert.NotEqual(t, before, key("go1.27"))
			write(t, filepath.Join(root, row.change), "changed\n")
			if row.same {
				assert.Equal(t, before, key("go1.26"))
			} else {
				assert.NotEqual(t, before, key("go1.26"))
			}
		})
	}
	root, key := repository(t)
	require.NoError(t, os.RemoveAll(root+"/checker"))
	assert.Empty(t, key("go1.26"), "what cannot be told is not kept")
}

// Only a pass is kept, and what is damaged or cannot be written is as if it were not there.
func TestStore(t *testing.T) {
	pass := grade.Kata{Number: 1, Name: "a", Verdict: grade.Pass, Score: 5, Max: 5, RaceBuilt: true}
	s := Store{Dir: filepath.Join(t.TempDir(), "deep", "folder")}
	for _, verdict := range []grade.Verdict{grade.Fail, grade.Flaky, grade.NotStarted, grade.NotJudged, grade.CheckerError, grade.NotRun} {
		v := pass
		v.Verdict = verdict
		s.Save("k", v)
		_, ok := s.Load("k")
		assert.False(t, ok, verdict)
	}
	s.Save("k", pass)
	got, ok := s.Load("k")
	assert.True(t, ok)
	assert.Equal(t, pass, got)
	_, ok = s.Load("other")
	assert.False(t, ok)
	_, ok = Store{Dir: s.Dir, Force: true}.Load("k")
	assert.False(t, ok)

	text, err := os.ReadFile(s.path("k"))
	require.NoError(t, err)
	for i := range text { // a byte of it changed, or all after it lost
		for _, damaged := range [][]byte{append(append(append([]byte{}, text[:i]...), text[i]^1), text[i+1:]...), text[:i]} {
			require.NoError(t, os.WriteFile(s.path("k"), damaged, 0o600))
			if got, ok := s.Load("k"); ok {
				assert.Equal(t, pass, got)
			}
		}
	}

	nowhere := Store{Dir: s.path("k")} // a file is there
	nowhere.Save("k", pass)
	_, ok = nowhere.Load("k")
	assert.False(t, ok)
	Store{}.Save("", pass)
}

// The store does not grow for ever.
func TestPrune(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	for i := range most + 20 {
		write(t, filepath.Join(s.Dir, fmt.Sprintf("new-%d", i)), "left by one that was killed")
	}
	s.Save("k", grade.Kata{Verdict: grade.Pass})
	entries, err := os.ReadDir(s.Dir)
	require.NoError(t, err)
	assert.Len(t, entries, most)
	_, ok := s.Load("k")
	assert.True(t, ok)
}
