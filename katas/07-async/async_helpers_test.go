package async_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
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

	async "prokata/katas/07-async"
)

// The tasks of the tests.
var (
	square  = async.Register("square", func(n int) (int, error) { return n * n, nil })
	double  = async.Register("double", func(n int) (int, error) { return 2 * n, nil })
	pid     = async.Register("pid", func(struct{}) (int, error) { return os.Getpid(), nil })
	fail    = async.Register("fail", func(text string) (int, error) { return 0, errors.New(text) })
	boom    = async.Register("boom", func(text string) (int, error) { panic(text) })
	third   = async.Register("third", func(n int) (int, error) { return oddOnes(n) })
	shout   = async.Register("shout", func(text string) (int, error) { return fmt.Println(text) })
	moan    = async.Register("moan", func(text string) (int, error) { return fmt.Fprintln(os.Stderr, text) })
	open    = async.Register("open", func(n letter) (int, error) { return int(n), nil })
	write   = async.Register("write", func(n int) (letter, error) { return letter(n), nil })
	leave   = async.Register("leave", func(r role) (string, error) { return r.playWithChild() })
	tick    = async.Register("tick", func(path string) (int, error) { return 0, errors.Join(note(path), errors.New("tick")) })
	echo    = async.Register("echo", func(text string) (string, error) { return text, nil })
	inverse = async.Register("inverse", func(f float64) (float64, error) { return 1 / f, nil })
	quit    = async.Register("quit", func(n int) (int, error) { return quitter(n) })
	act     = async.Register("act", func(r role) (string, error) { return r.act() })
	play    = async.Register("play", func(r role) (string, error) { return r.play() })
	attend  = async.Register("attend", func(r role) (int, error) { return os.Getpid(), r.attend() })
	duet    = async.Register("duet", func(r role) (int, error) {
		if r.Name == "" {
			return os.Getpid(), nil
		}
		_, err := r.play()
		return os.Getpid(), err
	})
)

// oddOnes fails for every third number.
func oddOnes(n int) (int, error) {
	if n%3 == 2 {
		return 0, fmt.Errorf("%d is not wanted", n)
	}
	return n, nil
}

// quitter ends its goroutine for a number below zero, as t.FailNow would.
func quitter(n int) (int, error) {
	if n < 0 {
		runtime.Goexit()
	}
	return n, nil
}

// A letter travels closed, and number 13 cannot be opened again.
type letter int

func (n letter) MarshalText() ([]byte, error) { return fmt.Append(nil, int(n)), nil }

func (n *letter) UnmarshalText(text []byte) error {
	if string(text) == "13" {
		return errors.New("13 does not open")
	}
	_, err := fmt.Sscan(string(text), (*int)(n))
	return err
}

// note appends a byte to a file: it counts what is done in several processes.
func note(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte{'.'})
	return errors.Join(err, f.Close())
}

// NaN cannot be encoded as JSON.
var nan = math.NaN()

var background = context.Background()

// newPool starts a pool that is closed and joined with the test.
func newPool(t *testing.T, workers int) *async.Pool {
	t.Helper()
	p, _ := newPoolToFinish(t, workers)
	return p
}

// newPoolToFinish starts a pool that is closed and joined with the test, or before, by
// finish.
func newPoolToFinish(t *testing.T, workers int) (p *async.Pool, finish func()) {
	t.Helper()
	p, err := async.NewPool(workers)
	require.NoError(t, err, "NewPool failed")
	finish = sync.OnceFunc(func() {
		p.Close()
		require.NoError(t, p.Join(), "Join failed")
	})
	t.Cleanup(finish)
	return p, finish
}

// A stage is where tasks, in whatever process, meet the test: a task that
// plays a role enters the stage and stays on it until the test lets it go.
type stage struct {
	t        *testing.T
	listener net.Listener
	open     []net.Conn
}

func newStage(t *testing.T) *stage {
	t.Helper()
	dir, err := os.MkdirTemp("", "stage")
	require.NoError(t, err, "MkdirTemp failed")
	s := &stage{t: t}
	t.Cleanup(func() {
		if s.listener != nil {
			s.listener.Close()
		}
		for _, c := range s.open {
			c.Close()
		}
		os.RemoveAll(dir)
	})
	s.listener, err = net.Listen("unix", filepath.Join(dir, "s"))
	require.NoError(t, err, "the test could not listen")
	return s
}

// role returns the argument of a task that plays under the given name.
func (s *stage) role(name string) role { return role{s.listener.Addr().String(), name} }

// A player is a task on the stage.
type player struct {
	name string
	pid  int
	conn net.Conn
	t    *testing.T
}

// next waits for the next task to enter.
func (s *stage) next() player {
	s.t.Helper()
	conn, err := s.listener.Accept()
	require.NoError(s.t, err, "Accept failed")
	s.open = append(s.open, conn)
	p := player{conn: conn, t: s.t}
	_, err = fmt.Fscanf(bufio.NewReader(conn), "%q %d\n", &p.name, &p.pid)
	require.NoError(s.t, err, "Fscanf failed")
	require.NotEqual(s.t, os.Getpid(), p.pid, "the task ran in the parent's own process")
	return p
}

// cast waits for n tasks to enter, and returns them by name.
func (s *stage) cast(n int) map[string]player {
	s.t.Helper()
	players := map[string]player{}
	for range n {
		p := s.next()
		players[p.name] = p
	}
	require.Len(s.t, players, n, "one task was run twice at one time")
	return players
}

// leave lets the task go on; what it returns is the given line.
func (p player) leave(line string) {
	p.t.Helper()
	_, err := fmt.Fprintln(p.conn, line)
	require.NoError(p.t, err, "Fprintln failed")
}

// ended waits until the player's process has ended.
func (p player) ended() { io.Copy(io.Discard, p.conn) }

// kill kills the player's process and waits until it is dead.
func (p player) kill() {
	p.t.Helper()
	require.NoError(p.t, syscall.Kill(p.pid, syscall.SIGKILL), "the test could not send a signal: the process had ended too early")
	p.ended()
	awaitDeath(p.pid)
}

// killWorker has a worker killed in the middle of a task, which nothing comes of.
func (s *stage) killWorker(p *async.Pool) {
	s.t.Helper()
	r, err := async.Apply(p, play, s.role("victim"))
	require.NoError(s.t, err, "Apply failed")
	s.next().kill()
	_, err = r.Get(background)
	require.ErrorIs(s.t, err, async.ErrWorkerDied, "Get did not tell that the worker died during the task")
}

// A role is a task's way to the stage.
type role struct{ Path, Name string }

func (r role) enter() (net.Conn, error) {
	conn, err := net.Dial("unix", r.Path)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(conn, "%q %d\n", r.Name, os.Getpid())
	return conn, err
}

// play enters and returns the line that the test lets it leave with.
func (r role) play() (string, error) {
	conn, err := r.enter()
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return hear(conn)
}

// playWithChild plays too, and leaves a child behind, who enters by itself.
func (r role) playWithChild() (string, error) {
	// Not reexec.Command: on Linux that would have the kernel end it with its parent.
	if err := (&exec.Cmd{Path: reexec.Self(), Args: []string{"async-bystander", r.Path}}).Start(); err != nil {
		return "", err
	}
	return r.play()
}

var attending []net.Conn

// attend plays too, but its connection stays until its process ends.
func (r role) attend() error {
	conn, err := r.enter()
	if err != nil {
		return err
	}
	attending = append(attending, conn)
	_, err = hear(conn)
	return err
}

func hear(conn net.Conn) (string, error) {
	line, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSuffix(line, "\n"), err
}

func init() {
	reexec.Register("async-bystander", func() { role{os.Args[1], "bystander"}.play() })
	// A program whose tasks print.
	reexec.Register("async-printer", func() {
		p, err := async.NewPool(1)
		if err != nil {
			fmt.Println(err)
			return
		}
		async.Apply(p, shout, "(printed by a task)")
		async.Apply(p, moan, "(complained of by a task)")
		p.Close()
		p.Join()
	})
	// A program with a pool of its own, which it neither closes nor joins.
	reexec.Register("async-owner", func() {
		p, err := async.NewPool(2)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, name := range []string{"a", "b"} {
			if _, err := async.Apply(p, attend, role{os.Args[1], name}); err != nil {
				fmt.Println(err)
				return
			}
		}
		io.Copy(io.Discard, os.Stdin)
	})
}

// act plays a role that has a name, and fails otherwise.
func (r role) act() (string, error) {
	if r.Name == "" {
		return "", errors.New("there is no such role")
	}
	return r.play()
}
