package contract

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/source/kata"
)

const stub = `// Package x tells a story. It promises nothing.
package x

// A Thing is a thing. It ends
// when it is closed, e.g. by Close.
type Thing struct {
	Size int // in bytes
	free int // not the learner's
}

// Do does it at once. Is it done twice? It is an error.
func (t *Thing) Do() error { return todo.Err("x: Do") }

// given is there already.
func given() {}

// write is left to the learner.
func write() { _ = todo.Err("x: write") }
`

func contract(t *testing.T) Contract {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x.go"), []byte(stub), 0o600))
	c, err := Read(kata.Kata{Dir: dir, Files: []string{"x.go"}})
	require.NoError(t, err)
	return c
}

func TestRead(t *testing.T) {
	var got []string
	for _, s := range contract(t).Sentences {
		got = append(got, s.Of+": "+s.Text)
	}
	assert.Equal(t, []string{
		"Thing: It ends when it is closed, e.g. by Close.",
		"Thing.Size: in bytes",
		"Thing.Do: Do does it at once.",
		"Thing.Do: Is it done twice?",
		"Thing.Do: It is an error.",
		"write: write is left to the learner.",
	}, got)
}

// A quote covers each sentence that it has a part of, wherever its lines were broken.
func TestOpen(t *testing.T) {
	c := contract(t)
	open, stale := c.Open([]string{"It ends\nwhen it", "twice? It is"}, []string{"in bytes", "It sleeps."})
	var got []string
	for _, s := range open {
		got = append(got, s.Text)
	}
	assert.Equal(t, []string{"Do does it at once.", "write is left to the learner."}, got)
	assert.Equal(t, []string{"It sleeps."}, stale)
}
