package spawn_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	spawn "prokata/katas/01-spawn"
)

// Output that is still on its way when the child has ended, or that has no end.

func init() {
	reexec.Register("spawn-test-stranger", stranger)
	spawn.Register("burst", burst)
	spawn.Register("daemon", daemon)
}

const burstLines = 100

// burst prints a line, and when its gate opens a hundred more: they all fit into
// its pipe, and nobody has to read any of them before it can end.
func burst(c spawn.Child) int {
	fmt.Fprintln(c.Out, "first")
	waitAtGate(c)
	for i := range burstLines {
		fmt.Fprintln(c.Out, i, strings.Repeat("x", 60))
	}
	return 0
}

// daemon does the same, leaves a process in a session of its own, which holds the
// same pipe and has a gate of its own, and stays.
func daemon(c spawn.Child) int {
	burst(c)
	cmd := exec.Command(reexec.Self())
	cmd.Args = []string{"spawn-test-stranger"}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{file(c, 0), file(c, 2)}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "child: start a process:", err)
		return 1
	}
	forever()
	return 0
}

func stranger() {
	c := spawn.Child{Message: "stranger", Files: []*os.File{os.NewFile(3, "here"), os.NewFile(4, "gate")}}
	waitAtGate(c)
}

// slowOut is busy with its first line until it is let go.
type slowOut struct {
	*out
	once       sync.Once
	busy, free chan struct{}
}

func newSlowOut() *slowOut {
	return &slowOut{out: newOut(), busy: make(chan struct{}), free: make(chan struct{})}
}

func (o *slowOut) Write(p []byte) (int, error) {
	o.once.Do(func() {
		close(o.busy)
		<-o.free
	})
	return o.out.Write(p)
}

// letGo lets the first Write return, and be it that of a failed test.
func (o *slowOut) letGo() {
	select {
	case <-o.free:
	default:
		close(o.free)
	}
}

// A line is being written, the child has ended, and the rest is in its pipe.
func TestSlowOut(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	job, gate := s.job("burst", "")
	end, w, letGo := s.endPipe()
	job.Files = append(job.Files, w)
	o := newSlowOut()
	t.Cleanup(o.letGo)
	s.run(spawn.Group{Out: o}, job)
	s.arrivals(1)
	s.wait(o.busy, "Out got a line")
	letGo()
	gate.Close()
	_, err := end.Read(make([]byte, 1))
	require.Error(t, err, "a child's pipe did not end with the child")
	harness.Waiting(t, os.Getpid()) // now the program has done all that it does about that end
	require.False(t, s.returned(), "Run returned before what a child had printed was written to Out")
	o.letGo()
	_, err = s.end()
	require.NoError(t, err, "Run returned an error, though the child had ended by itself")
	assert.Equal(t, 1+burstLines, len(o.all()), "Out did not get all lines of a child that ended while Out was busy with its first one")
}

// The same, and a process that has left the child's group holds the pipe.
func TestCancelLeavesStranger(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	job, gate := s.job("daemon", "")
	strangersGate, open := s.pipe()
	s.gates = append(s.gates, open)
	job.Files = append(job.Files, strangersGate)
	o := newSlowOut()
	t.Cleanup(o.letGo)
	s.run(spawn.Group{Out: o}, job)
	s.arrivals(1)
	s.wait(o.busy, "Out got a line")
	gate.Close()
	s.arrivals(1)
	s.cancel()
	harness.Waiting(t, os.Getpid()) // now there is no time left, and the child has ended
	o.letGo()
	exits, err := s.end() // the stranger prints nothing, and does not end
	require.ErrorIs(t, err, context.Canceled, "Run did not return the error of its context, which had been cancelled")
	assert.Len(t, exits, 1, "Run did not return one exit for the one child that it had started")
	assert.Equal(t, 1+burstLines, len(o.all()), "Out did not get all lines that a child had printed before the context was cancelled")
	open.Close()
	_, _ = s.said.ReadString('\n') // ends when the stranger has ended
}
