package pool_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/require"

	pool "prokata/katas/02-pool"
)

// A part is what the task act has to do, in this order.
type part struct {
	Here string   // the FIFO on which to say that the task has begun, if any
	Keep bool     // keep that FIFO open for as long as the worker lives
	Name string   // said there
	Gate string   // the FIFO to wait at until it is opened, if any
	Left []string // the FIFOs of a process to leave behind: what it keeps, what it waits at
	N    int      // the number to square
}

// A squared is the result of a part.
type squared struct {
	PID  int
	N    int
	Born string // what the environment variable born was when the worker was started
}

const born = "POOL_TEST_BORN"

// act is the task of most tests: it meets the test at FIFOs, whose names are all
// that has to travel, and returns a square.
var act = pool.Register("act", func(p part) (squared, error) {
	if len(p.Left) > 0 {
		if err := leaveBehind(p.Left); err != nil {
			return squared{}, err
		}
	}
	if p.Here != "" {
		here, err := os.OpenFile(p.Here, os.O_WRONLY, 0)
		if err != nil {
			return squared{}, err
		}
		fmt.Fprintf(here, "%d %s\n", os.Getpid(), p.Name)
		if p.Keep {
			kept = append(kept, here)
		} else {
			here.Close()
		}
	}
	if p.Gate != "" {
		// O_NONBLOCK: not to wait for the gate's keeper, who may have opened it.
		gate, err := os.OpenFile(p.Gate, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return squared{}, err
		}
		_, _ = io.Copy(io.Discard, gate)
		gate.Close()
	}
	return squared{PID: os.Getpid(), N: p.N * p.N, Born: os.Getenv(born)}, nil
})

func init() { reexec.Register("pool-test-left", left) }

// leaveBehind starts a process that the task does not wait for.
func leaveBehind(fifos []string) error {
	cmd := exec.Command(reexec.Self())
	cmd.Args = append([]string{"pool-test-left"}, fifos...)
	return cmd.Start()
}

// left keeps one FIFO open and waits at the gate that the other one is.
func left() {
	keep, err := os.OpenFile(os.Args[1], os.O_WRONLY, 0)
	if err != nil {
		os.Exit(1)
	}
	gate, err := os.OpenFile(os.Args[2], os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		os.Exit(1)
	}
	fmt.Fprintln(keep, "left")
	_, _ = io.Copy(io.Discard, gate)
	runtime.KeepAlive(keep)
}

// kept holds what a worker keeps open.
var kept []*os.File

// A stage is where one call of Map is played: it runs in the background, while the
// test talks with the tasks over FIFOs.
type stage struct {
	t      *testing.T
	dir    string
	ctx    context.Context
	cancel context.CancelFunc

	here  string
	heard *os.File
	said  *bufio.Reader
	gates []*os.File
	fifos int

	done    chan struct{} // closed when Map has returned
	results []squared
	err     error
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.here, s.heard = s.fifo("here")
	s.said = bufio.NewReader(s.heard)
	t.Cleanup(func() {
		s.openAll()
		s.cancel()
		if s.done != nil {
			<-s.done
		}
		s.heard.Close()
	})
	return s
}

// fifo makes a FIFO and opens it for both directions: so it never waits for the
// other side.
func (s *stage) fifo(name string) (string, *os.File) {
	s.t.Helper()
	s.fifos++
	path := filepath.Join(s.dir, fmt.Sprint(name, s.fifos))
	require.NoError(s.t, syscall.Mkfifo(path, 0o600), "the test could not make a FIFO")
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(s.t, err, "the test could not open a FIFO")
	return path, f
}

// gate makes a gate and returns its path, and what to close to open it.
func (s *stage) gate() (string, *os.File) {
	s.t.Helper()
	path, f := s.fifo("gate")
	s.gates = append(s.gates, f)
	return path, f
}

func (s *stage) openAll() {
	for _, gate := range s.gates {
		gate.Close()
	}
}

// run begins a call of Map.
func (s *stage) run(p *pool.Pool, parts []part) {
	s.play(func() ([]squared, error) { return pool.Map(s.ctx, p, act, parts) })
}

// play begins a call of f, which takes the place of Map.
func (s *stage) play(f func() ([]squared, error)) {
	s.done = make(chan struct{})
	go func() {
		s.results, s.err = f()
		fmt.Fprintln(s.heard, "returned") // wakes arrivals
		close(s.done)
	}()
}

// bystander prepares a process for a task to leave behind. The test calls there to
// wait until it is there, and gone to let it go and wait until it has ended.
func (s *stage) bystander() (fifos []string, there, gone func()) {
	s.t.Helper()
	gatePath, gate := s.gate()
	path, f := s.fifo("left")
	s.t.Cleanup(func() { f.Close() })
	there = func() {
		s.t.Helper()
		_, err := f.Read(make([]byte, len("left\n")))
		require.NoError(s.t, err, "the test could not read from a FIFO")
	}
	gone = func() {
		s.t.Helper()
		gate.Close()
		s.allGone(path, f)
	}
	return []string{path, gatePath}, there, gone
}

// lastWords waits until nobody but this process holds the FIFO at which the tasks
// say that they have begun: until the workers that kept it have ended.
func (s *stage) lastWords() {
	s.t.Helper()
	s.allGone(s.here, s.heard)
}

// allGone waits until nobody but this process holds a FIFO, which it has as f.
func (s *stage) allGone(path string, f *os.File) {
	s.t.Helper()
	r, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(s.t, err, "the test could not open a FIFO")
	defer r.Close()
	f.Close() // it was open for writing, too
	_, err = io.Copy(io.Discard, r)
	require.NoError(s.t, err, "the test could not read from a FIFO")
}

// end waits until Map has returned.
func (s *stage) end() ([]squared, error) {
	<-s.done
	return s.results, s.err
}

// arrivals waits until n tasks have begun, and returns the process IDs of their
// workers by the tasks' names.
func (s *stage) arrivals(n int) map[string]int {
	s.t.Helper()
	pids := map[string]int{}
	for i := range n {
		line, err := s.said.ReadString('\n')
		require.NoError(s.t, err, "the test could not read from a FIFO")
		if line == "returned\n" {
			_, err := s.end()
			require.NoError(s.t, err, "Map returned an error, when the test waited for %d tasks to be under way", n)
			require.FailNow(s.t, "Map returned early", "Map returned when %d tasks had begun, and the test waited for %d to be under way at one time", i, n)
		}
		var pid int
		var name string
		_, err = fmt.Sscan(line, &pid, &name)
		require.NoError(s.t, err, "a task got another argument than its input, and said %q", line)
		require.NotEqual(s.t, os.Getpid(), pid, "a task ran in the parent's own process")
		pids[name] = pid
	}
	return pids
}

// newPool makes a pool that is closed at the end of the test, before the stages
// that were made after it are left.
func newPool(t *testing.T, workers int) *pool.Pool {
	t.Helper()
	return newPoolWith(t, pool.Options{Workers: workers})
}

func newPoolWith(t *testing.T, opts pool.Options) *pool.Pool {
	t.Helper()
	p, err := pool.New(opts)
	require.NoError(t, err, "New returned an error")
	require.NotNil(t, p, "New returned no pool and no error")
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// newPoolToClose makes a pool that the test closes before its end. It is not closed
// twice.
func newPoolToClose(t *testing.T, workers int) (p *pool.Pool, closeOnce func() error) {
	t.Helper()
	p, err := pool.New(pool.Options{Workers: workers})
	require.NoError(t, err, "New returned an error")
	require.NotNil(t, p, "New returned no pool and no error")
	closeOnce = sync.OnceValue(p.Close)
	t.Cleanup(func() { _ = closeOnce() })
	return p, closeOnce
}

// workers lets n tasks meet and returns the process IDs of the n workers.
func workers(t *testing.T, p *pool.Pool, n int) map[int]bool {
	t.Helper()
	pids := map[int]bool{}
	for _, r := range meet(t, p, n) {
		pids[r.PID] = true
	}
	return pids
}

// meet lets n tasks meet, in as many workers, and returns their results.
func meet(t *testing.T, p *pool.Pool, n int) []squared {
	t.Helper()
	s := newStage(t)
	path, gate := s.gate()
	var parts []part
	for i := range n {
		parts = append(parts, part{Here: s.here, Name: fmt.Sprint(i), Gate: path, N: i})
	}
	s.run(p, parts)
	pids := map[int]bool{}
	for _, pid := range s.arrivals(n) {
		pids[pid] = true
	}
	gate.Close()
	results, err := s.end()
	require.NoError(t, err, "Map returned an error, though no task had failed")
	require.Equal(t, n, len(results), "Map did not return one result for each input")
	for i, r := range results {
		require.Equal(t, i*i, r.N, "Map returned a wrong result for task %d", i)
	}
	require.Equal(t, n, len(pids), "fewer workers than tasks had %d tasks under way at one time", n)
	return results
}

// plain returns parts that only compute, with the numbers from first to last.
func plain(first, last int) []part {
	var parts []part
	for n := first; n <= last; n++ {
		parts = append(parts, part{N: n})
	}
	return parts
}

// failures returns the errors that Map has joined, by index.
func failures(t *testing.T, err error) map[int]error {
	t.Helper()
	require.Error(t, err, "tasks failed, and Map returned no error")
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok, "Map returned an error that does not join those of the tasks: %v", err)
	byIndex := map[int]error{}
	last := -1
	for _, err := range joined.Unwrap() {
		e, ok := err.(*pool.TaskError)
		require.True(t, ok, "Map joined an error that is no *TaskError: %v", err)
		require.Greater(t, e.Index, last, "Map did not join the errors in the order of the inputs: %v", err)
		last = e.Index
		byIndex[e.Index] = e.Err
	}
	return byIndex
}

// exists reports whether there is a process with this ID, be it a zombie.
func exists(pid int) bool { return syscall.Kill(pid, 0) == nil }

// lines returns the lines of a file.
func lines(t *testing.T, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err, "the test could not read a file")
	return strings.Fields(string(b))
}
