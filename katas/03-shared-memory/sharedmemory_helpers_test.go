package sharedmemory_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	sharedmemory "prokata/katas/03-shared-memory"
)

func init() {
	reexec.Register("shared-memory-puppet", puppetMain)
}

// create makes a segment that is closed at the end of the test.
func create(t *testing.T, n int) *sharedmemory.Segment {
	t.Helper()
	s, err := sharedmemory.Create(n)
	require.NoError(t, err, "Create returned an error")
	require.NotNil(t, s, "Create returned no segment and no error")
	t.Cleanup(func() { require.NoError(t, s.Close(), "Close returned an error") })
	return s
}

func value(t *testing.T, s *sharedmemory.Segment, i int) sharedmemory.Value {
	t.Helper()
	v, err := s.Value(i)
	require.NoError(t, err, "Value of a number in the segment returned an error")
	return v
}

func array(t *testing.T, s *sharedmemory.Segment, from, n int) sharedmemory.Array {
	t.Helper()
	a, err := s.Array(from, n)
	require.NoError(t, err, "Array of numbers in the segment returned an error")
	return a
}

// A puppet is a child process that has opened a segment and does what the test
// tells it, one command a line, with one line as its answer.
type puppet struct {
	t       *testing.T
	cmd     *exec.Cmd
	orders  io.WriteCloser
	answers *bufio.Reader
	ended   bool
	looks   int // by waitsForLock
}

// startPuppet starts a puppet, which opens the segment if it is not nil.
func startPuppet(t *testing.T, s *sharedmemory.Segment) *puppet {
	t.Helper()
	if s == nil {
		return startChild(t, "shared-memory-puppet")
	}
	p := startChild(t, "shared-memory-puppet", s.File())
	require.Equal(t, "ok", p.ask("open"), "a child could not open the segment")
	return p
}

// startChild starts a child that takes orders, and hands it the files.
func startChild(t *testing.T, name string, files ...*os.File) *puppet {
	t.Helper()
	cmd := reexec.Command(name)
	cmd.Stderr = os.Stderr
	for _, f := range files {
		require.NotNil(t, f, "File returned no file")
	}
	cmd.ExtraFiles = files
	orders, err := cmd.StdinPipe()
	require.NoError(t, err, "the test could not make a pipe")
	answers, err := cmd.StdoutPipe()
	require.NoError(t, err, "the test could not make a pipe")
	require.NoError(t, cmd.Start(), "the test could not start a process")
	p := &puppet{t: t, cmd: cmd, orders: orders, answers: bufio.NewReader(answers)}
	t.Cleanup(func() {
		if !p.ended {
			p.kill()
		}
	})
	return p
}

// tell sends an order and does not wait for the answer.
func (p *puppet) tell(order string, args ...any) {
	p.t.Helper()
	_, err := fmt.Fprintln(p.orders, append([]any{order}, args...)...)
	require.NoError(p.t, err, "a child had ended before the order %q", order)
}

// answer waits for the answer to an order.
func (p *puppet) answer() string {
	p.t.Helper()
	line, err := p.answers.ReadString('\n')
	require.NoError(p.t, err, "a child ended without an answer")
	return strings.TrimSuffix(line, "\n")
}

func (p *puppet) ask(order string, args ...any) string {
	p.t.Helper()
	p.tell(order, args...)
	return p.answer()
}

// end lets the puppet close its segment and exit.
func (p *puppet) end() {
	p.t.Helper()
	require.Equal(p.t, "ok", p.ask("close"), "Close of a child returned an error")
	p.exit()
}

// exit lets the puppet exit with everything as it is.
func (p *puppet) exit() {
	p.t.Helper()
	p.orders.Close()
	p.ended = true
	require.NoError(p.t, p.cmd.Wait(), "a child did not end well")
}

// kill kills the puppet and waits until it is gone.
func (p *puppet) kill() {
	p.ended = true
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// puppetMain is the puppet's side.
func puppetMain() {
	var s *sharedmemory.Segment
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		if words[0] == "open" {
			var err error
			s, err = sharedmemory.Open(os.NewFile(3, "segment"))
			fmt.Println(word(err))
			continue
		}
		fmt.Println(obey(s, words[0], words[1:]))
	}
}

func obey(s *sharedmemory.Segment, order string, args []string) string {
	num := func(i int) int {
		n, _ := strconv.Atoi(args[i])
		return n
	}
	switch order {
	case "len":
		return strconv.Itoa(s.Len())
	case "get":
		v, err := s.Value(num(0))
		if err != nil {
			return word(err)
		}
		return strconv.FormatInt(v.Get(), 10)
	case "set":
		v, err := s.Value(num(0))
		if err != nil {
			return word(err)
		}
		v.Set(int64(num(1)))
		return "ok"
	case "acquire":
		return word(s.Lock().Acquire(context.Background()))
	case "announce": // acquire, and say before that it begins
		fmt.Println("begun")
		return word(s.Lock().Acquire(context.Background()))
	case "cost": // acquire, and say what that took: CPU milliseconds
		before := cpuMilliseconds()
		if err := s.Lock().Acquire(context.Background()); err != nil {
			return word(err)
		}
		return strconv.FormatInt(cpuMilliseconds()-before, 10)
	case "briefly": // acquire, with a context that ends soon
		return word(acquireFor(s.Lock(), 20*time.Millisecond))
	case "patiently": // acquire, with a context that could end
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		return word(s.Lock().Acquire(ctx))
	case "try":
		return word(s.Lock().TryAcquire())
	case "release":
		return word(s.Lock().Release())
	case "close":
		return word(s.Close())
	case "create":
		_, err := sharedmemory.Create(num(0))
		return word(err)
	}
	return "unknown order " + order
}

// word says an error in one word.
func word(err error) string {
	for _, e := range []struct {
		name string
		is   error
	}{
		{"range", sharedmemory.ErrRange},
		{"locked", sharedmemory.ErrLocked},
		{"not held", sharedmemory.ErrNotHeld},
		{"owner died", sharedmemory.ErrOwnerDied},
		{"too late", context.DeadlineExceeded},
	} {
		if errors.Is(err, e.is) {
			return e.name
		}
	}
	if err != nil {
		return "error: " + strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return "ok"
}

// cpuMilliseconds is the CPU time that this process has used.
func cpuMilliseconds() int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return (u.Utime.Nano() + u.Stime.Nano()) / 1e6
}

func word64(x int64) string { return strconv.FormatInt(x, 10) }

// waitsForLock returns once the puppet, which was told to acquire the lock, is
// seen asleep for some time. That is the usual course and no proof, so it also
// returns after many looks; where the system does not tell, it returns at once.
func waitsForLock(p *puppet) {
	for asleep := 0; asleep < 5; asleep++ {
		time.Sleep(2 * time.Millisecond)
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.cmd.Process.Pid))
		for _, task := range tasks {
			b, _ := os.ReadFile(task)
			if !strings.Contains(string(b), ") S ") && p.looks < 200 {
				asleep = -1
			}
		}
		p.looks++
	}
}
