package deadlock_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"prokata/checker/shm"
	deadlock "prokata/katas/08-deadlock"
)

func init() {
	reexec.Register("test-lock-holder", lockHolder)
	reexec.Register("test-permit-holder", permitHolder)
	collectWhenTold()
	deadlock.Register("test-directed", directed)
	deadlock.Register("test-witnessed", witnessed)
	deadlock.Register("test-slow", slow)
	deadlock.Register("test-clumsy", clumsy)
	deadlock.Register("test-quitter", quitter)
}

// openLock opens a lock for the time of the test.
func openLock(t testing.TB, path string) *deadlock.Lock {
	t.Helper()
	l, err := deadlock.OpenLock(path)
	require.NoError(t, err, "OpenLock failed")
	t.Cleanup(func() { l.Close() })
	return l
}

// isHeld says whether somebody else holds the lock at this moment.
func isHeld(t testing.TB, path string) bool {
	t.Helper()
	l, err := deadlock.OpenLock(path)
	require.NoError(t, err, "OpenLock failed")
	defer l.Close()
	free, err := l.TryAcquire()
	require.NoError(t, err, "TryAcquire failed")
	if free {
		require.NoError(t, l.Release(), "Release failed")
	}
	return !free
}

// untilHeld waits until somebody else holds the lock. There is nothing that one
// could block on: to block on the lock itself would be to take it.
func untilHeld(t testing.TB, path string) {
	t.Helper()
	for !isHeld(t, path) {
		time.Sleep(time.Millisecond)
	}
}

// A child is a process that one of this file's programs runs, and that answers
// each line written to it with a line.
type child struct {
	t   testing.TB
	cmd *exec.Cmd
	in  io.WriteCloser
	out io.ReadCloser
}

func startChild(t testing.TB, files []*os.File, args ...string) *child {
	t.Helper()
	cmd := reexec.Command(args...)
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = files
	in, err := cmd.StdinPipe()
	require.NoError(t, err, "the test could not make a pipe")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err, "the test could not make a pipe")
	require.NoError(t, cmd.Start(), "the test could not start a child")
	c := &child{t: t, cmd: cmd, in: in, out: out}
	t.Cleanup(func() {
		c.in.Close()
		c.cmd.Process.Kill()
		c.cmd.Wait()
	})
	return c
}

// tell lets the child do its next step.
func (c *child) tell() {
	c.t.Helper()
	_, err := c.in.Write([]byte{'.'})
	require.NoError(c.t, err, "Write failed")
}

// hear waits until the child says that its step is done.
func (c *child) hear(what string) {
	c.t.Helper()
	b := make([]byte, 1)
	_, err := io.ReadFull(c.out, b)
	require.NoError(c.t, err, "the child process ended before it %s", what)
	require.Equal(c.t, "+", string(b), "the child process failed where it should have %s", what)
}

// steps runs the steps of a child, each when it is told to.
func steps(step ...func() error) {
	b := make([]byte, 1)
	for _, f := range step {
		if _, err := io.ReadFull(os.Stdin, b); err != nil {
			os.Exit(0)
		}
		if err := f(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Stdout.WriteString("-")
			os.Exit(1)
		}
		os.Stdout.WriteString("+")
	}
	io.Copy(io.Discard, os.Stdin)
}

// lockHolder acquires a lock, then releases it.
func lockHolder() {
	l, err := deadlock.OpenLock(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	steps(l.Acquire, l.Release)
	l.Close()
}

// permitHolder acquires a permit, then releases it.
func permitHolder() {
	s := deadlock.SemaphoreOf(os.NewFile(3, "permits"), os.NewFile(4, "permits"))
	steps(s.Acquire, s.Release)
}

// A record is a mapping in which the philosophers note what they see: whether a
// fork is in use, by number, and after these the counts below.
type record struct{ *shm.Memory }

const (
	eaters    = iota // who are eating now
	together         // who were eating at one moment, at most
	shared           // meals with a fork that somebody else was eating with
	unlocked         // forks that anybody could have taken during a meal
	numCounts = iota
)

func recordPath(dir string) string { return filepath.Join(dir, "record") }

// openRecord maps the record, in the test and in every philosopher.
func openRecord(dir string, seats int) (record, error) {
	f, err := os.OpenFile(recordPath(dir), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return record{}, err
	}
	defer f.Close()
	n := seats + numCounts
	if err := f.Truncate(int64(n * shm.WordSize)); err != nil {
		return record{}, err
	}
	m, err := shm.Map(f, n)
	return record{m}, err
}

func newRecord(t testing.TB, dir string, seats int) record {
	t.Helper()
	r, err := openRecord(dir, seats)
	require.NoError(t, err, "openRecord failed")
	t.Cleanup(func() { r.Unmap() })
	return r
}

func (r record) count(what int) int64 { return r.AtomicLoad(r.Len() - numCounts + what) }

func (r record) add(what int, d int64) int64 { return r.Add(r.Len()-numCounts+what, d) }

// raise makes a count at least v.
func (r record) raise(what int, v int64) {
	i := r.Len() - numCounts + what
	for {
		old := r.AtomicLoad(i)
		if old >= v || r.CompareAndSwap(i, old, v) {
			return
		}
	}
}

// withRecord runs f on the record of the philosopher's table.
func withRecord(m deadlock.Moment, f func(r record) error) error {
	r, err := openRecord(m.Table.Dir, m.Table.Seats)
	if err != nil {
		return err
	}
	defer r.Unmap()
	return f(r)
}

// witnessed notes who eats with which fork.
func witnessed(m deadlock.Moment) error {
	if m.Stage != deadlock.Eating {
		return nil
	}
	return withRecord(m, func(r record) error {
		forks := []int{m.Seat, (m.Seat + 1) % m.Table.Seats}
		mine := true
		for _, fork := range forks {
			mine = r.Add(fork, 1) == 1 && mine
		}
		if !mine {
			r.add(shared, 1)
		}
		if m.Meal == 0 {
			for _, fork := range forks {
				l, err := deadlock.OpenLock(deadlock.LockPath(m.Table.Dir, fork))
				if err != nil {
					return err
				}
				free, err := l.TryAcquire()
				if err != nil {
					return err
				}
				if free {
					r.add(unlocked, 1)
				}
				l.Close()
			}
		}
		for _, fork := range forks {
			r.Add(fork, -1)
		}
		return nil
	})
}

// slow eats slowly until two philosophers were seen to eat at one moment.
func slow(m deadlock.Moment) error {
	if m.Stage != deadlock.Eating {
		return nil
	}
	return withRecord(m, func(r record) error {
		r.raise(together, r.add(eaters, 1))
		for i := 0; i < 5 && r.count(together) < 2; i++ {
			time.Sleep(time.Millisecond)
		}
		r.add(eaters, -1)
		return nil
	})
}

// clumsy spoils the first meal with one fork in hand, the second with both, and the
// third before it has any.
func clumsy(m deadlock.Moment) error {
	if m.Meal == 0 && m.Stage == deadlock.Reaching || m.Meal == 1 && m.Stage == deadlock.Eating || m.Meal == 2 && m.Stage == deadlock.Thinking {
		return errors.New("dropped the napkin")
	}
	return nil
}

// quitter ends its goroutine in its first meal, with both forks in hand.
func quitter(m deadlock.Moment) error {
	if m.Meal == 0 && m.Stage == deadlock.Eating {
		runtime.Goexit()
	}
	return nil
}

// numbered matches the numbers of a text.
var numbered = regexp.MustCompile(`\d+`)

// names says whether a part of the error's text, on a line of its own or between
// semicolons, holds all of the numbers, in whatever words.
func names(err error, numbers ...int) bool {
	for _, part := range strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == ';' }) {
		there := numbered.FindAllString(part, -1)
		all := true
		for _, n := range numbers {
			i := slices.Index(there, strconv.Itoa(n))
			if all = all && i >= 0; all {
				there = slices.Delete(there, i, i+1)
			}
		}
		if all {
			return true
		}
	}
	return false
}

// all returns n times the same number of meals.
func all(n, meals int) []int { return slices.Repeat([]int{meals}, n) }

// isThere says whether a process is there, if only to be waited for.
func isThere(pid int) bool { return unix.Kill(pid, 0) == nil }

// assertGone asserts that a process has ended and was waited for.
func assertGone(t testing.TB, pid int) {
	t.Helper()
	assert.ErrorIs(t, unix.Kill(pid, 0), unix.ESRCH, "process %d was still there", pid)
}
