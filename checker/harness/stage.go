package harness

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A Stage is where a test meets the child processes of the program under test: they say
// that they are there, and wait at a gate until the test opens it. So a test proves an
// order of events, and that processes are there at one time, without looking at a clock.
//
// A child finds its place by a short text, which the program needs only to hand on as it
// is (in a message, an argument, a task): no open file has to be passed, and no
// environment.
type Stage struct {
	t     testing.TB
	dir   string
	hereR *os.File // what the children say; ends when nobody is on the stage any more
	hereW *os.File // the test's own end, so that it does not end before the first comes
	said  *bufio.Reader
	gates []*os.File
}

// NewStage builds a stage for the test, which takes it down in the end.
func NewStage(t testing.TB) *Stage {
	t.Helper()
	dir, err := os.MkdirTemp("", "stage-")
	if err != nil {
		t.Fatalf("harness: build a stage: %v", err)
	}
	s := &Stage{t: t, dir: dir}
	t.Cleanup(s.takeDown)
	s.hereR, s.hereW = s.fifo("here")
	s.said = bufio.NewReader(s.hereR)
	return s
}

// fifo makes a pipe that has a name, and opens both of its ends.
func (s *Stage) fifo(name string) (r, w *os.File) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	err := unix.Mkfifo(path, 0o600)
	if err == nil {
		// Without O_NONBLOCK either would wait for somebody to open the other end.
		r, err = os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	}
	if err == nil {
		w, err = os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
	}
	if err != nil {
		s.t.Fatalf("harness: build a stage: %v", err)
	}
	return r, w
}

// Gate makes a gate that is shut. A child comes to it by Enter(place). It opens when the
// returned file is closed; what is written to the file before that reaches the child.
func (s *Stage) Gate() (place string, shut *os.File) {
	s.t.Helper()
	number := strconv.Itoa(len(s.gates))
	r, w := s.fifo(number)
	r.Close() // the child opens an end of its own
	s.gates = append(s.gates, w)
	return filepath.Base(s.dir) + "." + number, w
}

// Gates are the files that keep the gates shut, in the order in which they were made.
func (s *Stage) Gates() []*os.File { return s.gates }

// Hear returns the next line that a child says. The error is io.EOF after Close when
// no child is on the stage any more.
func (s *Stage) Hear() (string, error) {
	line, err := s.said.ReadString('\n')
	return strings.TrimSuffix(line, "\n"), err
}

// Close says that nobody comes any more: once the children that are there have left,
// Hear ends.
func (s *Stage) Close() { s.hereW.Close() }

// OpenAll opens all gates.
func (s *Stage) OpenAll() {
	for _, gate := range s.gates {
		gate.Close()
	}
}

func (s *Stage) takeDown() {
	s.OpenAll()
	for _, f := range []*os.File{s.hereR, s.hereW} {
		if f != nil {
			f.Close()
		}
	}
	if err := os.RemoveAll(s.dir); err != nil {
		s.t.Errorf("harness: take down a stage: %v", err)
	}
}

// A Place is where a child stands on a stage.
type Place struct {
	Here *os.File // what is written here, a line at a time, the test hears
	Gate *os.File // ends when the test opens the gate
}

// Enter takes a child to its place on the stage. The process is on the stage until it
// ends, or closes Here.
func Enter(place string) (p Place, err error) {
	stage, gate, ok := strings.Cut(place, ".")
	if _, err := strconv.Atoi(gate); !ok || err != nil || stage != filepath.Base(stage) {
		return p, fmt.Errorf("%q is no place on a stage: it has not come here as the test sent it", place)
	}
	dir := filepath.Join(os.TempDir(), stage)
	if p.Here, err = os.OpenFile(filepath.Join(dir, "here"), os.O_WRONLY|unix.O_NONBLOCK, 0); err != nil {
		return p, fmt.Errorf("come to the stage: %w", err)
	}
	if p.Gate, err = os.OpenFile(filepath.Join(dir, gate), os.O_RDONLY|unix.O_NONBLOCK, 0); err != nil {
		return p, errors.Join(fmt.Errorf("come to the gate: %w", err), p.Here.Close())
	}
	return p, nil
}
