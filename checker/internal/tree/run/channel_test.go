package run

import (
	"bufio"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/tree/wire"
)

// Each of the tests that were asked for begins once, when no other is running. All else is
// tampering, and that of the test that ran last.
func TestComes(t *testing.T) {
	a, b := &evidence.Test{Name: "A", Status: evidence.Passed}, &evidence.Test{Name: "B"}
	s := &session{tests: []*evidence.Test{a, b}, last: a}
	assert.Same(t, b, s.comes("B"))
	assert.Empty(t, a.Tampering)

	assert.Nil(t, s.comes("A"))
	assert.Equal(t, []string{"A was said to begin a second time"}, a.Tampering)
	assert.Nil(t, s.comes("C"))
	assert.Contains(t, a.Tampering, "C was said to begin, and was not asked for")
	s.test = b
	assert.Nil(t, s.comes("A"))
	assert.Equal(t, []string{"A was said to begin before B had ended"}, b.Tampering)

	s = &session{tests: []*evidence.Test{{Name: "A"}}, job: Job{Asked: &Asked{}}}
	assert.Nil(t, s.comes("C"), "package testing has chosen it")
	assert.Empty(t, s.tests[0].Tampering)
}

// A test has passed only if its function returned, and is skipped only for what this
// machine lacks.
func TestEarned(t *testing.T) {
	job := Job{Kata: kata.Kata{Tests: []kata.Test{{Name: "A"}, {Name: "Python", Program: "no-such-program"}, {Name: "Shell", Program: "sh"}}}}
	s := &session{job: job}
	for _, row := range []struct {
		event  wire.Event
		want   evidence.Status
		reason string
	}{
		{wire.Event{Test: "A", Status: evidence.Passed}, evidence.Passed, ""},
		{wire.Event{Test: "A", Status: evidence.Failed}, evidence.Failed, ""},
		{wire.Event{Test: "A", Status: evidence.Passed, Gone: true}, evidence.Failed, "runtime.Goexit"},
		{wire.Event{Test: "A", Status: "splendid"}, evidence.Failed, "nobody can say how"},
		{wire.Event{Test: "A"}, evidence.Failed, "nobody can say how"},
		{wire.Event{Test: "A", Status: evidence.Skipped}, evidence.Failed, "lacks nothing"},
		{wire.Event{Test: "Shell", Status: evidence.Skipped}, evidence.Failed, "lacks nothing"},
		{wire.Event{Test: "Python", Status: evidence.Skipped}, evidence.Skipped, ""},
	} {
		if row.event.Status == evidence.Skipped && runtime.GOOS != "linux" {
			continue // all is skipped there for which there is no check
		}
		status, reason := s.earned(row.event)
		assert.Equal(t, row.want, status, "%+v", row.event)
		assert.Contains(t, reason, row.reason)
		assert.Equal(t, row.reason == "", reason == "", "%+v", row.event)
	}
}

// What is tampered with is told once, and not without end.
func TestTamper(t *testing.T) {
	test := &evidence.Test{}
	for range 3 {
		tamper(test, "again")
	}
	assert.Equal(t, []string{"again"}, test.Tampering)
	for i := range 2 * mostTold {
		tamper(test, strings.Repeat("x", i))
	}
	assert.Len(t, test.Tampering, mostTold)
}

// A line that is too long is an empty one, and the next is read as it is.
func TestReadLine(t *testing.T) {
	r := bufio.NewReaderSize(io.MultiReader(
		strings.NewReader("one\n"), strings.NewReader(strings.Repeat("x", longestLine+1)+"\n"), strings.NewReader("\ntwo\n"),
	), 16)
	for _, want := range []string{"one\n", "", "\n", "two\n"} {
		line, err := readLine(r)
		require.NoError(t, err)
		assert.Equal(t, want, string(line))
	}
	_, err := readLine(r)
	assert.True(t, errors.Is(err, io.EOF))
}
