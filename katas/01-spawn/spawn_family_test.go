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
	spawn.Register("family", family)
	beforeMain()
}

// family starts a process of its own, which prints to the same place, and waits at
// its gate.
func family(c spawn.Child) int {
	cmd := exec.Command(reexec.Self())
	cmd.Args = []string{"spawn-test-grandchild"}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{file(c, 0)}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "child: start grandchild:", err)
		return 1
	}
	waitForGate(c)
	return 0
}

// grandchild does not listen when it is asked to end.
func grandchild() {
	signal.Ignore(syscall.SIGTERM)
	fmt.Fprintf(os.NewFile(3, "here"), "%d %q\n", os.Getpid(), "grandchild")
	forever()
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

// parent is a process that runs three children, with its files. If it has an
// argument, that is where they wait before they begin, and they are sent more than
// a pipe holds.
func parent() {
	here, gate := os.NewFile(3, "here"), os.NewFile(4, "gate")
	message := ""
	if len(os.Args) > 1 {
		os.Setenv(early, os.Args[1])
		message = strings.Repeat("x", 1<<20)
	}
	var jobs []spawn.Job
	for _, name := range []string{"complain", "stubborn", "family"} {
		jobs = append(jobs, spawn.Job{Func: name, Message: message, Files: []*os.File{here, gate}})
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

// The children print, hear SIGTERM and go on, have a child of their own: none of
// them may be left.
func TestParentKilled(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	job, _ := s.job("", "")
	cmd := exec.Command(reexec.Self())
	cmd.Args = []string{"spawn-test-parent"}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	cmd.ExtraFiles = job.Files
	require.NoError(t, cmd.Start(), "the test could not start a process")
	s.hereW.Close()
	come := 0
	for range 3 {
		if _, err := s.said.ReadString('\n'); err == nil {
			come++
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	require.Equal(t, 3, come, "three children were not there at one time in a process that ran Run")
	_, err := io.Copy(io.Discard, s.said) // ends when all of them have ended
	require.NoError(t, err, "the test could not read what the children said")
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
		s.files = append(s.files, f)
		fifos = append(fifos, f)
	}
	here, gate := fifos[0], fifos[1]
	job, _ := s.job("", "")
	cmd := exec.Command(reexec.Self())
	cmd.Args = []string{"spawn-test-parent", dir}
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = job.Files
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
	s.hereW.Close()
	said, err := io.ReadAll(s.said)
	require.NoError(t, err, "the test could not read what the children said")
	assert.Empty(t, string(said), "a child ran its function, though its parent had been killed before it had sent the whole message")
}
