package sharedmemory_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A staircase is what each child of a test has to climb before its main function
// begins, also a child that the code under test starts. The first to come passes;
// the others wait on it until they are let pass.
type staircase struct {
	t          *testing.T
	arrival    *os.File // a FIFO: the first one says who it is, and has it open until it ends
	gate       string   // a FIFO that the others open for reading, which waits for a writer
	look       int      // a descriptor of arrival that is open for reading alone
	gatekeeper *os.File
}

// staircaseEnv names the variable with the staircase's folder.
const staircaseEnv = "SHARED_MEMORY_STAIRCASE"

func init() {
	if dir := os.Getenv(staircaseEnv); dir != "" {
		if err := climb(dir); err != nil {
			fmt.Fprintln(os.Stderr, "climb the staircase:", err)
			os.Exit(1)
		}
	}
}

// here is the first child's sign of life: open, and known to the collector.
var here *os.File

// climb is the child's side.
func climb(dir string) (err error) {
	taken, err := os.OpenFile(filepath.Join(dir, "taken"), os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil { // somebody came before
		gate, err := os.Open(filepath.Join(dir, "gate"))
		if err != nil {
			return err
		}
		return gate.Close()
	}
	taken.Close()
	if here, err = os.OpenFile(filepath.Join(dir, "arrival"), os.O_WRONLY, 0); err != nil {
		return err
	}
	_, err = fmt.Fprintln(here, os.Getpid())
	return err
}

// newStaircase makes a staircase for all children that are started from now on.
func newStaircase(t *testing.T) *staircase {
	t.Helper()
	dir := t.TempDir()
	t.Setenv(staircaseEnv, dir)
	s := &staircase{t: t, gate: filepath.Join(dir, "gate")}
	path := filepath.Join(dir, "arrival")
	for _, fifo := range []string{path, s.gate} {
		require.NoError(t, syscall.Mkfifo(fifo, 0o600), "the test could not make a FIFO")
	}
	var err error
	s.arrival, err = os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err, "the test could not open a FIFO")
	s.look, err = syscall.Open(path, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	require.NoError(t, err, "the test could not open a FIFO")
	t.Cleanup(func() {
		s.arrival.Close()
		syscall.Close(s.look)
		if s.gatekeeper != nil {
			s.gatekeeper.Close()
		}
	})
	return s
}

// first waits for the first child and returns its process ID, or 0 after nobodyElse.
func (s *staircase) first() int {
	s.t.Helper()
	line, err := bufio.NewReader(s.arrival).ReadString('\n')
	require.NoError(s.t, err, "the test could not read from a FIFO")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(s.t, err, "the test could not read a process ID")
	s.arrival.Close() // the child has it open too, and alone from now on
	return pid
}

// nobodyElse says that no child will come any more.
func (s *staircase) nobodyElse() {
	_, _ = s.arrival.WriteString("0\n") // an error, and no harm, if one has come
}

// firstHasEnded tells whether nobody has the FIFO open for writing any more.
func (s *staircase) firstHasEnded() bool {
	n, err := syscall.Read(s.look, make([]byte, 1))
	return n == 0 && err == nil
}

// letPass lets the others pass.
func (s *staircase) letPass() {
	var err error
	s.gatekeeper, err = os.OpenFile(s.gate, os.O_RDWR, 0)
	require.NoError(s.t, err, "the test could not open a FIFO")
}
