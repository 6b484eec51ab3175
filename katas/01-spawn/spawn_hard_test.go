package spawn_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	spawn "prokata/katas/01-spawn"
)

// ample is a Grace that does not run out for a child that ends when it is asked to.
const ample = 10 * time.Second

func TestExitCodes(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	good, goodGate := s.job("exit", "0")
	bad, badGate := s.job("exit", "8")
	victim, _ := s.job("stay", "victim")
	s.run(spawn.Group{Out: newOut()}, good, bad, victim)
	pids := s.arrivals(3)
	goodGate.Close()
	badGate.Close()
	require.NoError(t, syscall.Kill(pids["victim"], syscall.SIGKILL))
	exits, err := s.end()
	require.NoError(t, err, "how a child ends is no error of Run")
	if diff := cmp.Diff([]spawn.Exit{
		{PID: pids["0"], Code: 0},
		{PID: pids["8"], Code: 8},
		{PID: pids["victim"], Code: -1, Signal: syscall.SIGKILL},
	}, exits); diff != "" {
		t.Errorf("three children exited with 0, with 8, and by SIGKILL; Run told otherwise (-want +got):\n%s", diff)
	}
}

// The children end in another order than that of their jobs.
func TestExitsInOrderOfJobs(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	var jobs []spawn.Job
	var ends []*os.File
	var letGo []func()
	for i := range 3 {
		job, _ := s.job("exit", strconv.Itoa(10+i))
		r, w, f := s.endPipe()
		job.Files = append(job.Files, w)
		ends, letGo = append(ends, r), append(letGo, f)
		jobs = append(jobs, job)
	}
	s.run(spawn.Group{Out: newOut()}, jobs...)
	s.arrivals(3)
	for i := 2; i >= 0; i-- {
		letGo[i]()
		s.gates[i].Close()
		_, err := ends[i].Read(make([]byte, 1))
		require.Equal(t, io.EOF, err)
	}
	exits, err := s.end()
	require.NoError(t, err)
	var codes []int
	for _, exit := range exits {
		codes = append(codes, exit.Code)
	}
	assert.Equal(t, []int{10, 11, 12}, codes, "exit codes in the order of the jobs")
}

// One child is killed and one fails, in the middle of a line, while others are in
// the middle of theirs.
func TestOneChildFails(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	victim, _ := s.job("tail", "cut off")
	failing, failingGate := s.job("exit", "1")
	first, firstGate := s.job("split", "before after\n")
	second, secondGate := s.job("split", "left right\n")
	o := newOut()
	s.run(spawn.Group{Out: o}, victim, failing, first, second)
	pids := s.arrivals(4)
	require.NoError(t, syscall.Kill(pids["cut off"], syscall.SIGKILL))
	failingGate.Close()
	o.wait(s, 1) // what the victim had printed
	firstGate.Close()
	o.wait(s, 2)
	secondGate.Close()
	_, err := s.end()
	require.NoError(t, err, "how a child ends is no error of Run")
	if diff := cmp.Diff([]string{"cut off\n", "beforeafter\n", "leftright\n"}, o.all()); diff != "" {
		t.Errorf("after one child was killed and one had failed, lines were lost or damaged (-want +got):\n%s", diff)
	}
}

func TestUnknownFunction(t *testing.T) {
	harness.Test(t)
	o := newOut()
	runAndWait(t, spawn.Group{Out: o}, spawn.Job{Func: "report"})
	exits, err := spawn.Group{Out: o, Grace: ample}.Run(t.Context(),
		spawn.Job{Func: "report"}, spawn.Job{Func: "no such function"})
	require.Error(t, err, "a job asked for a function that nobody had registered")
	assert.Contains(t, err.Error(), "no such function", "the error names the function")
	assert.Empty(t, exits, "nothing was to be started")
	assert.Len(t, o.all(), 1, "nothing was to be started")
}

// The system refuses in the middle: there are not enough descriptors for all
// three children. Each round allows one more than the round before, so that every
// step of a start comes to fail in one of them.
func TestStartFailsHalfWay(t *testing.T) {
	harness.Test(t)
	runAndWait(t, spawn.Group{Out: newOut()}, spawn.Job{Func: "report"})

	for room := range 100 {
		s := newStage(t)
		// Only the last child can be heard: then all have been started.
		last, _ := s.job("stay", "last")
		stay := spawn.Job{Func: "stay"}

		var exits []spawn.Exit
		var err, hearErr error
		harness.WithFiles(t, room, func() {
			s.run(spawn.Group{Out: newOut(), Grace: ample}, stay, stay, last)
			_, hearErr = s.said.ReadString('\n')
			s.cancel()
			exits, err = s.end()
		})
		for i, exit := range exits {
			require.False(t, exists(exit.PID), "child %d was started, a later one could not be, and Run returned without waiting for it", i)
		}
		if hearErr == nil {
			require.ErrorIs(t, err, context.Canceled)
			require.Len(t, exits, 3)
			return // there was room for all
		}
		require.ErrorIs(t, err, syscall.EMFILE, "there was room for %d descriptors more, a start failed, and Run's error was not the reason", room)
		require.Less(t, len(exits), 3)
	}
	t.Error("Run needed more than 100 descriptors for three children")
}

func TestCancelTerminates(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	one, _ := s.job("stay", "one")
	two, _ := s.job("stay", "two")
	s.run(spawn.Group{Out: newOut(), Grace: ample}, one, two)
	pids := s.arrivals(2)
	s.cancel()
	exits, err := s.end()
	require.ErrorIs(t, err, context.Canceled, "Run's error after its context was cancelled")
	if diff := cmp.Diff([]spawn.Exit{
		{PID: pids["one"], Code: -1, Signal: syscall.SIGTERM},
		{PID: pids["two"], Code: -1, Signal: syscall.SIGTERM},
	}, exits); diff != "" {
		t.Errorf("the children were to end by SIGTERM (-want +got):\n%s", diff)
	}
}

// The child hears SIGTERM and goes on.
func TestCancelKills(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	job, _ := s.job("stubborn", "")
	s.run(spawn.Group{Out: newOut(), Grace: 700 * time.Millisecond}, job)
	pids := s.arrivals(1)
	s.cancel()
	exits, err := s.end()
	require.ErrorIs(t, err, context.Canceled, "Run's error after its context was cancelled")
	require.Equal(t, []spawn.Exit{{PID: pids[""], Code: -1, Signal: syscall.SIGKILL}}, exits, "exit of a child that did not end when asked")
	rest, err := io.ReadAll(s.said)
	require.NoError(t, err)
	assert.Equal(t, "TERM\n", string(rest), "what the child said after it was asked to end")
}

func TestNoGrace(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	job, _ := s.job("stubborn", "")
	s.run(spawn.Group{Out: newOut()}, job)
	pids := s.arrivals(1)
	s.cancel()
	exits, err := s.end()
	require.ErrorIs(t, err, context.Canceled, "Run's error after its context was cancelled")
	assert.Equal(t, []spawn.Exit{{PID: pids[""], Code: -1, Signal: syscall.SIGKILL}}, exits)
}

func TestCancelledBefore(t *testing.T) {
	harness.Test(t)
	o := newOut()
	runAndWait(t, spawn.Group{Out: o}, spawn.Job{Func: "report"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	exits, err := spawn.Group{Out: o}.Run(ctx, spawn.Job{Func: "report"})
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, exits, "a child was started though the context had ended")
	assert.Len(t, o.all(), 1, "a child printed though the context had ended")
}

func TestHundredChildren(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	gateR, gateW := s.pipe() // one gate for all
	s.gates = append(s.gates, gateW)
	var jobs []spawn.Job
	for i := range 100 {
		jobs = append(jobs, spawn.Job{Func: "gate", Message: strconv.Itoa(i), Files: []*os.File{s.hereW, gateR}})
	}
	s.run(spawn.Group{Out: newOut()}, jobs...)
	pids := s.arrivals(100)
	s.openAll()
	exits, err := s.end()
	require.NoError(t, err)
	require.Len(t, exits, 100)
	for i, exit := range exits {
		require.Equal(t, spawn.Exit{PID: pids[strconv.Itoa(i)]}, exit, "exit of child %d", i)
	}
}

var errFull = errors.New("disk full")

// fullWriter takes so many writes, and no more.
type fullWriter struct{ room int }

func (w *fullWriter) Write(p []byte) (int, error) {
	if w.room == 0 {
		return 0, errFull
	}
	w.room--
	return len(p), nil
}

// The children print more than a pipe holds: if nobody reads on, they stand still.
func TestOutFails(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	one, _ := s.job("many", "20 10000 a")
	two, _ := s.job("many", "20 10000 b")
	s.run(spawn.Group{Out: &fullWriter{room: 1}, Grace: ample}, one, two)
	pids := s.arrivals(2)
	s.openAll()
	exits, err := s.end()
	require.ErrorIs(t, err, errFull, "Out returned an error, and Run did not")
	want := []spawn.Exit{{PID: pids["20 10000 a"]}, {PID: pids["20 10000 b"]}}
	assert.Equal(t, want, exits, "the children were to run on to their end")
}
