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
const ample = time.Hour

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
	require.NoError(t, err, "Run returned an error because of the way in which a child ended")
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
		require.Equal(t, io.EOF, err, "the pipe of child %d did not end with that child", i)
	}
	exits, err := s.end()
	require.NoError(t, err, "Run returned an error, though all children had been started and had ended by themselves")
	var codes []int
	for _, exit := range exits {
		codes = append(codes, exit.Code)
	}
	assert.Equal(t, []int{10, 11, 12}, codes, "Run returned the exits in another order than that of the jobs")
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
	require.NoError(t, err, "Run returned an error because of the way in which a child ended")
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
	require.Error(t, err, "Run returned no error, though nobody had registered the function that a job asked for")
	assert.Contains(t, err.Error(), "no such function", "Run's error did not name the function that nobody had registered")
	assert.Empty(t, exits, "Run started a child before it found that the function of another job was unknown")
	assert.Equal(t, 1, len(o.all()), "a child printed, though the function of another job was unknown")
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
			s.run(spawn.Group{Out: newOut(), Grace: time.Millisecond}, stay, stay, last)
			_, hearErr = s.said.ReadString('\n')
			s.cancel()
			exits, err = s.end()
		})
		if hearErr != nil {
			require.Less(t, len(exits), 3, "Run returned an exit for a child that could not be started")
		}
		for i, exit := range exits {
			require.False(t, exists(exit.PID), "child %d was started, a later one could not be, and Run returned without waiting for it", i)
		}
		if hearErr == nil {
			require.ErrorIs(t, err, context.Canceled, "Run did not return the error of its context, which had been cancelled")
			require.Len(t, exits, 3, "Run did not return one exit for each of the three children that it had started")
			return // there was room for all
		}
		require.ErrorIs(t, err, syscall.EMFILE, "there was room for %d descriptors more, a start failed, and Run's error was not the reason", room)
	}
	t.Error("Run needed more than 100 descriptors for three children")
}

func TestCancelTerminates(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	one, _ := s.job("stay", "one")
	two, _ := s.job("stay", "two")
	polite, _ := s.job("polite", "polite")
	o := newOut()
	s.run(spawn.Group{Out: o, Grace: ample}, one, two, polite)
	pids := s.arrivals(3)
	s.cancel()
	exits, err := s.end()
	require.ErrorIs(t, err, context.Canceled, "Run did not return the error of its context, which had been cancelled")
	if diff := cmp.Diff([]spawn.Exit{
		{PID: pids["one"], Code: -1, Signal: syscall.SIGTERM},
		{PID: pids["two"], Code: -1, Signal: syscall.SIGTERM},
		{PID: pids["polite"], Code: 3}, // which hears SIGTERM, and returns
	}, exits); diff != "" {
		t.Errorf("the children were not ended by SIGTERM alone when the context was cancelled (-want +got):\n%s", diff)
	}
	assert.Equal(t, []string{"goodbye\n"}, o.all(), "Out did not get what a child printed after it was asked to end")
}

// The child hears SIGTERM and goes on.
func TestCancelKills(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	job, _ := s.job("stubborn", "")
	s.run(spawn.Group{Out: newOut(), Grace: 200 * time.Millisecond}, job)
	pids := s.arrivals(1)
	s.cancel()
	exits, err := s.end()
	require.ErrorIs(t, err, context.Canceled, "Run did not return the error of its context, which had been cancelled")
	require.Equal(t, []spawn.Exit{{PID: pids[""], Code: -1, Signal: syscall.SIGKILL}}, exits, "a child that did not end when it was asked to was not killed after the Grace")
}

func TestNoGrace(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	job, _ := s.job("stubborn", "")
	s.run(spawn.Group{Out: newOut()}, job)
	pids := s.arrivals(1)
	s.cancel()
	exits, err := s.end()
	require.ErrorIs(t, err, context.Canceled, "Run did not return the error of its context, which had been cancelled")
	assert.Equal(t, []spawn.Exit{{PID: pids[""], Code: -1, Signal: syscall.SIGKILL}}, exits, "a child that did not end when it was asked to was not killed, though there was no Grace")
}

func TestCancelledBefore(t *testing.T) {
	harness.Test(t)
	o := newOut()
	runAndWait(t, spawn.Group{Out: o}, spawn.Job{Func: "report"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	exits, err := spawn.Group{Out: o}.Run(ctx, spawn.Job{Func: "report"})
	require.ErrorIs(t, err, context.Canceled, "Run did not return the error of its context, which had been cancelled before")
	assert.Empty(t, exits, "a child was started though the context had ended")
	assert.Equal(t, 1, len(o.all()), "a child printed though the context had ended")

	late, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	_, err = spawn.Group{Out: o}.Run(late, spawn.Job{Func: "report"})
	require.ErrorIs(t, err, context.DeadlineExceeded, "Run did not return the error of its context, whose deadline had passed")
}

// More children than anybody has processors, and than a bound of 8, 16 or 32 at one time
// would let in: with each one more a slow machine takes longer, and no other mistake shows.
func TestManyChildren(t *testing.T) {
	harness.Test(t)
	const many = 40
	s := newStage(t)
	gateR, gateW := s.pipe() // one gate for all
	s.gates = append(s.gates, gateW)
	var jobs []spawn.Job
	for i := range many {
		jobs = append(jobs, spawn.Job{Func: "gate", Message: strconv.Itoa(i), Files: []*os.File{s.hereW, gateR}})
	}
	s.run(spawn.Group{Out: newOut()}, jobs...)
	pids := s.arrivals(many)
	s.openAll()
	exits, err := s.end()
	require.NoError(t, err, "Run returned an error, though all children had been started and had ended by themselves")
	require.Len(t, exits, many, "Run did not return one exit for each of forty children")
	for i, exit := range exits {
		require.Equal(t, spawn.Exit{PID: pids[strconv.Itoa(i)]}, exit, "Run returned another exit for child %d than that of a child that ended with 0", i)
	}
}

var (
	errFull   = errors.New("disk full")
	errStill  = errors.New("disk full still")
	roomAgain = 3 // errors
)

// fullWriter takes one write, and then fails, each time for another reason. It can
// be written to again afterwards.
type fullWriter struct{ writes int }

func (w *fullWriter) Write(p []byte) (int, error) {
	w.writes++
	switch {
	case w.writes == 2:
		return 0, errFull
	case w.writes > 2 && w.writes < 2+roomAgain:
		return 0, errStill
	}
	return len(p), nil
}

// The children print more than a pipe holds: if nobody reads on, they stand still.
func TestOutFails(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	one, _ := s.job("many", "20 10000 a")
	two, _ := s.job("many", "20 10000 b")
	s.run(spawn.Group{Out: &fullWriter{}, Grace: ample}, one, two)
	pids := s.arrivals(2)
	s.openAll()
	exits, err := s.end()
	require.ErrorIs(t, err, errFull, "Run did not return the first error of Out")
	want := []spawn.Exit{{PID: pids["20 10000 a"]}, {PID: pids["20 10000 b"]}}
	assert.Equal(t, want, exits, "the children did not run on to their end after Out had failed")
}
