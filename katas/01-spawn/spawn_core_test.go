package spawn_test

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	spawn "prokata/katas/01-spawn"
)

// The objective itself: three children, each prints its process ID and its
// message, and the parent waits for all.
func TestHello(t *testing.T) {
	harness.Test(t)
	messages := []string{"Ada was here", "Grace was here", "Barbara was here"}
	o := newOut()
	exits := runAndWait(t, spawn.Group{Out: o},
		spawn.Job{Func: "hello", Message: messages[0]},
		spawn.Job{Func: "hello", Message: messages[1]},
		spawn.Job{Func: "hello", Message: messages[2]})

	// The lines come in any order; the exits tell whose is whose.
	var want []string
	for i, exit := range exits {
		assert.NotEqual(t, os.Getpid(), exit.PID, "child %d had the parent's process ID", i)
		assert.Equal(t, 0, exit.Code, "child %d had another exit code than the result of its function", i)
		want = append(want, fmt.Sprintf("%d %q\n", exit.PID, messages[i]))
	}
	got := o.lines()
	sort.Strings(got)
	sort.Strings(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the children did not print what was expected (-want +got):\n%s", diff)
	}
}

func TestChildrenOfThisProcess(t *testing.T) {
	harness.Test(t)
	o := newOut()
	exits := runAndWait(t, spawn.Group{Out: o},
		spawn.Job{Func: "report", Message: "0"},
		spawn.Job{Func: "report", Message: "1"},
		spawn.Job{Func: "report", Message: "2"})

	seen := map[int]bool{}
	lines := o.lines()
	require.Len(t, lines, 3, "three children printed one line each, and Out got another number of lines")
	for _, line := range lines {
		var r reportLine
		require.NoError(t, json.Unmarshal([]byte(line), &r), "the line that a child printed did not arrive as it was: %q", line)
		assert.Equal(t, os.Getpid(), r.Parent, "the parent of child %s was another process", r.Message)
		assert.NotEqual(t, os.Getpid(), r.PID, "child %s ran in the parent's own process", r.Message)
		assert.False(t, seen[r.PID], "two children had the process ID %d", r.PID)
		seen[r.PID] = true
		i, err := strconv.Atoi(string(r.Message))
		require.NoError(t, err, "a child got another message than that of a job: %q", r.Message)
		require.Less(t, i, len(exits), "a child got another message than that of a job: %q", r.Message)
		assert.Equal(t, r.PID, exits[i].PID, "the exit of child %d had the process ID of another process", i)
	}
}

// Each child says that it is there, and goes on when all three have said so.
func TestAliveTogether(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	var jobs []spawn.Job
	for range 3 {
		job, _ := s.job("gate", "")
		jobs = append(jobs, job)
	}
	s.run(spawn.Group{Out: newOut()}, jobs...)
	s.arrivals(3)
	s.OpenAll()
	_, err := s.end()
	require.NoError(t, err, "Run returned an error, though all children had been started and had ended by themselves")
}

// One child prints half a line; another one prints a whole one; the first goes on.
func TestWholeLines(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	slow, slowGate := s.job("split", "one line\n")
	quick, quickGate := s.job("split", "the other\n")
	o := newOut()
	s.run(spawn.Group{Out: o}, slow, quick)
	s.arrivals(2) // both have printed their first words
	quickGate.Close()
	o.wait(s, 1)
	slowGate.Close()
	_, err := s.end()
	require.NoError(t, err, "Run returned an error, though all children had been started and had ended by themselves")
	if diff := cmp.Diff([]string{"theother\n", "oneline\n"}, o.all()); diff != "" {
		t.Errorf("the lines of two children were not written whole, as each was complete (-want +got):\n%s", diff)
	}
}

// A pipe holds 64 KiB; these lines are longer, and come at the same time.
func TestLongLines(t *testing.T) {
	harness.Test(t)
	const lines, width = 4, 300_000
	s := newStage(t)
	var jobs []spawn.Job
	for _, letter := range []string{"a", "b", "c"} {
		job, _ := s.job("many", fmt.Sprint(lines, width, " ", letter))
		jobs = append(jobs, job)
	}
	o := newOut()
	s.run(spawn.Group{Out: o}, jobs...)
	s.arrivals(3)
	s.OpenAll()
	_, err := s.end()
	require.NoError(t, err, "Run returned an error, though all children had been started and had ended by themselves")

	got := map[string]int{}
	for _, line := range o.all() {
		if letter := line[:1]; line == strings.Repeat(letter, width)+"\n" {
			got[letter]++
		} else {
			t.Errorf("a line of %d letters was expected, and %d bytes were written: %.20q…", width, len(line), line)
		}
	}
	assert.Equal(t, map[string]int{"a": lines, "b": lines, "c": lines}, got, "Out did not get as many whole lines of each child as that had printed")
}

// This writer does nothing to protect itself: the program has to.
type plainWriter struct{ writes []string }

func (w *plainWriter) Write(p []byte) (int, error) {
	w.writes = append(w.writes, string(p))
	return len(p), nil
}

func TestOneWriteALine(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	var jobs []spawn.Job
	for _, letter := range []string{"a", "b", "c"} {
		job, _ := s.job("many", "100 20 "+letter)
		jobs = append(jobs, job)
	}
	o := &plainWriter{}
	s.run(spawn.Group{Out: o}, jobs...)
	s.arrivals(3)
	s.OpenAll()
	_, err := s.end()
	require.NoError(t, err, "Run returned an error, though all children had been started and had ended by themselves")
	assert.Equal(t, 300, len(o.writes), "Out was not called once for each of 300 lines")
	for _, line := range o.writes {
		require.Equal(t, 21, len(line), "a call of Write did not get one whole line: %q", line)
	}
}

// The child prints its line and then waits: the line must not wait for its end.
func TestLineAppearsAtOnce(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	job, gate := s.job("line", "I am about to wait")
	o := newOut()
	s.run(spawn.Group{Out: o}, job)
	s.arrivals(1)
	require.Equal(t, []string{"I am about to wait\n"}, o.wait(s, 1), "Out had not got a child's line as soon as it was complete")
	gate.Close()
	_, err := s.end()
	require.NoError(t, err, "Run returned an error, though all children had been started and had ended by themselves")
}

func TestLastLineWithoutNewline(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	job, gate := s.job("tail", "no newline")
	o := newOut()
	s.run(spawn.Group{Out: o}, job)
	s.arrivals(1)
	gate.Close()
	_, err := s.end()
	require.NoError(t, err, "Run returned an error, though all children had been started and had ended by themselves")
	assert.Equal(t, []string{"no newline\n"}, o.all(), "a child's last line, which had no newline, did not come with one")
}

func TestMessagesUnchanged(t *testing.T) {
	harness.Test(t)
	messages := []string{
		"",
		" spaces,\ttabs ",
		`"double" and 'single' quotes, \n, $HOME`,
		"two\nlines\r\n",
		"größer, 日本語, 🜁",
		"--help",
		"a zero \x00 byte",
		"not UTF-8: \xff\xfe\xc0",
		strings.Repeat("longer than one argument may be, and than a pipe holds. ", 10_000),
	}
	for _, sent := range messages {
		o := newOut()
		_, err := spawn.Group{Out: o}.Run(t.Context(), spawn.Job{Func: "report", Message: sent})
		if !assert.NoError(t, err, "the message was refused: %.60q", sent) {
			continue
		}
		var r reportLine
		require.NoError(t, json.Unmarshal([]byte(strings.Join(o.all(), "")), &r), "the line that a child printed did not arrive as it was: %.100q", o.all())
		assert.True(t, string(r.Message) == sent, "the message was changed on its way: sent %.60q, arrived %.60q", sent, r.Message)
	}
}
