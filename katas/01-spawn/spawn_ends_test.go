package spawn_test

import (
	"fmt"
	"strconv"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	spawn "prokata/katas/01-spawn"
)

// How the children ended, and when.

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
	var children []alone
	for i := range 3 {
		job, child := s.alone("exit", strconv.Itoa(10+i))
		jobs, children = append(jobs, job), append(children, child)
	}
	s.run(spawn.Group{Out: newOut()}, jobs...)
	for _, child := range children {
		child.arrives()
	}
	for i := 2; i >= 0; i-- {
		children[i].end()
	}
	exits, err := s.end()
	require.NoError(t, err, "Run returned an error, though all children had been started and had ended by themselves")
	var codes []int
	for _, exit := range exits {
		codes = append(codes, exit.Code)
	}
	assert.Equal(t, []int{10, 11, 12}, codes, "Run returned the exits in another order than that of the jobs")
}

func TestReturnsAfterLastChild(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	var jobs []spawn.Job
	var children []alone
	for _, code := range []string{"1", "0", "0"} { // a failure is no reason to return
		job, child := s.alone("exit", code)
		jobs, children = append(jobs, job), append(children, child)
	}
	// One more child for conversation: while it answers, time goes by.
	job, talk := s.job("echo", "")
	s.run(spawn.Group{Out: newOut()}, append(jobs, job)...)
	for _, child := range children {
		child.arrives()
	}
	s.arrivals(1)
	for i, child := range children {
		require.False(t, s.returned(), "Run returned before child %d had ended", i)
		child.end()
		for range 100 {
			_, err := fmt.Fprintln(talk, "still there?")
			require.NoError(t, err, "the last child could not be talked to any more, while its gate was shut")
			s.hear("talking to the last child")
		}
	}
	require.False(t, s.returned(), "Run returned before the last child had ended")
	talk.Close()
	exits, err := s.end()
	require.NoError(t, err, "Run returned an error, though all children had been started and had ended by themselves")
	for i, exit := range exits {
		assert.False(t, exists(exit.PID), "Run returned and had not waited for child %d", i)
	}
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
