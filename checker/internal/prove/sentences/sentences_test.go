package sentences

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFind(t *testing.T) {
	mutes, err := find("x_test.go", `package x_test

import (
	"os"
	"prokata/katas/01-spawn"
)

func TestX(t *testing.T) {
	assert.Equal(t, 1, f())
	assert.Equal(t, 1, f(), "x")
	assert.Equal(t, 1, f(), "Run lost a line")
	assert.Equalf(t, 1, f(), "%s lost a line", name)
	assert.True(t, ok, message)
	assert.Less(t, 1, 2)
	require.NoError(t, spawn.Run())
	require.NoError(t, os.Remove("x"))
	r, w, err := os.Pipe()
	require.NoError(t, err)
	err = spawn.Run()
	require.NoError(t, err)
	require.NoError(t, err, "Run returned an error")
	require.FailNow(t, "the program ended without a word", "it was: %v", err)
	require.Fail(t, "oh")
	t.Fatal(err)
	t.Fatal("no child was started")
	t.Errorf("%d of %d lines", a, b)
	t.Errorf("%v", err)
	r.t.Fatal(err)
	t.FailNow()
	_ = err.Error()
}
`)
	require.NoError(t, err)
	var lines []int
	for _, m := range mutes {
		lines = append(lines, m.Line)
	}
	assert.Equal(t, []int{9, 10, 14, 15, 20, 23, 24, 27, 28, 29}, lines, "%v", mutes)
}
