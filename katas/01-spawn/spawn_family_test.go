package spawn_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	spawn "prokata/katas/01-spawn"
)

// Three generations: the children's own children, and the end of their parent.

func init() {
	reexec.Register("spawn-test-parent", parent)
	reexec.Register("spawn-test-grandchild", grandchild)
	reexec.Register("spawn-test-stranger", stranger)
	spawn.Register("daemon", daemon)
	spawn.Register("family", family)
	beforeMain()
}

// family starts a process of its own, which prints to the same place, and waits at
// its gate.
func family(c spawn.Child) int {
	place, _, _ := strings.Cut(c.Message, " ")
	cmd := exec.Command(reexec.Self())
	cmd.Args = []string{"spawn-test-grandchild", place}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "child: start grandchild:", err)
		return 1
	}
	at, _ := onStage(c)
	waitForGate(at)
	return 0
}

// grandchild does not listen when it is asked to end.
func grandchild() {
	signal.Ignore(syscall.SIGTERM)
	stay(spawn.Child{Message: os.Args[1] + " grandchild"})
}

// The harness sees whether the grandchild is left.
func TestCancelEndsGrandchild(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	job, _ := s.job("family", "")
	s.run(spawn.Group{Out: newOut(), Grace: 200 * time.Millisecond}, job)
	s.arrivals(1)
	s.cancel()
	_, err := s.end()
	require.ErrorIs(t, err, context.Canceled, "Run did not return the error of its context, which had been cancelled")
}

func TestChildLeavesGrandchild(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	job, gate := s.job("family", "")
	s.run(spawn.Group{Out: newOut(), Grace: 200 * time.Millisecond}, job)
	s.arrivals(1)
	gate.Close()
	exits, err := s.end()
	require.NoError(t, err, "Run returned an error, though the child had ended by itself")
	require.Len(t, exits, 1, "Run did not return one exit for the one child that it had started")
	assert.Equal(t, 0, exits[0].Code, "a child that ended with 0, and had left a process running, got another exit code")
}

// daemon prints a burst, leaves a process in a session of its own, which holds the
// same pipe, and stays. The rest of its message is the other's place.
func daemon(c spawn.Child) int {
	burst(c)
	cmd := exec.Command(reexec.Self())
	_, place, _ := strings.Cut(c.Message, " ")
	cmd.Args = []string{"spawn-test-stranger", place}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "child: start a process:", err)
		return 1
	}
	forever()
	return 0
}

func stranger() {
	waitAtGate(spawn.Child{Message: os.Args[1] + " stranger"})
}

// parent is a process that runs three children, which take its first argument for their
// place. If it has another one, that is where they wait before they begin, and they are
// sent more than a pipe holds.
func parent() {
	message := os.Args[1] + " "
	if len(os.Args) > 2 {
		os.Setenv(early, os.Args[2])
		message += strings.Repeat("x", 1<<20)
	}
	var jobs []spawn.Job
	for _, name := range []string{"complain", "stubborn", "family"} {
		jobs = append(jobs, spawn.Job{Func: name, Message: message})
	}
	_, err := spawn.Group{Out: os.Stdout, Grace: time.Millisecond}.Run(context.Background(), jobs...)
	fmt.Fprintln(os.Stderr, "the parent that was to be killed ended:", err)
	os.Exit(1)
}

// early is the environment variable with the folder of two FIFOs: "here", which a
// child opens for writing before its main function, and "gate", at which it waits.
const early = "SPAWN_TEST_EARLY"

func beforeMain() {
	dir := os.Getenv(early)
	if dir == "" {
		return
	}
	here, err := os.OpenFile(filepath.Join(dir, "here"), os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(here, "here")
	atStart = here
	// O_NONBLOCK: not to wait for the gate's keeper, who may have opened it.
	gate, err := os.OpenFile(filepath.Join(dir, "gate"), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, gate)
	gate.Close()
}

var atStart *os.File // stays open for as long as the child lives

// A line is being written, the child has ended, the rest is in its pipe, and a process
// that has left the child's group holds that open.
func TestCancelLeavesStranger(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	strangersPlace, open := s.Gate()
	job, gate := s.job("daemon", strangersPlace)
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
	_, _ = s.Hear() // ends when the stranger has ended
}

// The children print, hear SIGTERM and go on, have a child of their own: none of
// them may be left.
func TestParentKilled(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	place, _ := s.Gate()
	cmd := exec.Command(reexec.Self())
	cmd.Args = []string{"spawn-test-parent", place}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	require.NoError(t, cmd.Start(), "the test could not start a process")
	ended := make(chan struct{})
	go func() { // so that nobody waits for children that never come
		defer close(ended)
		_ = cmd.Wait()
		s.Close()
	}()
	come := 0
	for range 3 {
		if _, err := s.Hear(); err == nil {
			come++
		}
	}
	_ = cmd.Process.Kill()
	<-ended
	require.Equal(t, 3, come, "three children were not there at one time in a process that ran Run")
	for err := error(nil); err == nil; { // ends when all of them have ended
		_, err = s.Hear()
	}
	assert.Contains(t, complaints.String(), "child: complaint", "what a child wrote to its standard error did not come to that of its parent")
}

// The children have been started, and have not heard yet what they shall do. Nor can
// they ever: it was too much for a pipe.
func TestParentKilledEarly(t *testing.T) {
	harness.Test(t)
	runAndWait(t, spawn.Group{Out: newOut()}, spawn.Job{Func: "report"})
	s := newStage(t)
	dir := t.TempDir()
	var fifos []*os.File
	for _, name := range []string{"here", "gate"} {
		require.NoError(t, syscall.Mkfifo(filepath.Join(dir, name), 0o600), "the test could not make a FIFO")
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR, 0)
		require.NoError(t, err, "the test could not open a FIFO")
		t.Cleanup(func() { f.Close() })
		fifos = append(fifos, f)
	}
	here, gate := fifos[0], fifos[1]
	place, _ := s.Gate()
	cmd := exec.Command(reexec.Self())
	cmd.Args = []string{"spawn-test-parent", place, dir}
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start(), "the test could not start a process")
	_, err := io.ReadFull(here, make([]byte, 3*len("here\n")))
	require.NoError(t, err, "the test could not read from a FIFO")
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	gate.Close()
	r, err := os.OpenFile(here.Name(), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err, "the test could not open a FIFO")
	defer r.Close()
	here.Close() // it was open for writing, too
	_, err = io.Copy(io.Discard, r)
	require.NoError(t, err, "the test could not read from a FIFO") // now all of them have ended
	s.Close()
	said, err := s.Hear()
	require.Empty(t, said, "a child ran its function, though its parent had been killed before it had sent the whole message")
	require.Equal(t, io.EOF, err, "the test could not read what the children said")
}
