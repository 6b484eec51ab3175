package wire

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pair are the two ends of one direction.
func pair() (*Sealer, *Sealer) {
	key := bytes.Repeat([]byte{7}, KeySize)
	a, b, other := make([]byte, KeySize), make([]byte, KeySize), make([]byte, KeySize)
	Split(key, a, other)
	Split(key, b, other)
	return NewSealer(a), NewSealer(b)
}

func TestSeal(t *testing.T) {
	from, to := pair()
	for _, name := range []string{"TestA", "TestB"} {
		line, err := from.Seal(Event{Kind: Begin, Test: name})
		require.NoError(t, err)
		var e Event
		require.NoError(t, to.Open(line, &e))
		assert.Equal(t, name, e.Test)
	}
}

// What code under test could send: it has heard every line, and knows no key. None of it
// disturbs what comes after.
func TestForged(t *testing.T) {
	from, to := pair()
	first, err := from.Seal(Event{Kind: End, Test: "TestA", Status: "failed"})
	require.NoError(t, err)
	for _, line := range []string{
		"", "\n", "{}", `{"kind":"end","test":"TestA","status":"passed"}`,
		strings.Replace(string(first), "failed", "passed", 1),
		strings.Repeat("0", 2*KeySize) + " {}",
		strings.Repeat("0", 4*KeySize) + " {}",
		string(first[1:]), string(first[:2*KeySize]),
	} {
		assert.ErrorIs(t, to.Open([]byte(line), &Event{}), ErrForged, "%q", line)
	}
	var e Event
	require.NoError(t, to.Open(first, &e))
	assert.ErrorIs(t, to.Open(first, &e), ErrForged, "the same line a second time")
	second, err := from.Seal(Event{Kind: Begin, Test: "TestB"})
	require.NoError(t, err)
	require.NoError(t, to.Open(second, &e))
	assert.Equal(t, "TestB", e.Test)
}

// A mark says yes or no to who knows the key, and nothing to all others.
func TestMark(t *testing.T) {
	from, to := pair()
	assert.Equal(t, from.Mark(true), to.Mark(true))
	assert.Equal(t, from.Mark(false), to.Mark(false))
	assert.NotEqual(t, from.Mark(true), from.Mark(false))
	before := from.Mark(true)
	_, err := from.Seal(Reply{})
	require.NoError(t, err)
	assert.NotEqual(t, before, from.Mark(true), "what was overheard means nothing at the next line")
}

// The two directions do not share a key.
func TestSplit(t *testing.T) {
	a, b := make([]byte, KeySize), make([]byte, KeySize)
	Split(make([]byte, KeySize), a, b)
	assert.NotEqual(t, a, b)
}
