package shm_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/watch"
	"prokata/checker/shm"
)

func init() {
	reexec.Register("shm-crew", crewMember)
}

func TestMain(m *testing.M) {
	if reexec.Init() {
		os.Exit(0)
	}
	code := m.Run()
	// No child may be left: with none, the kernel says ECHILD.
	if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD && code == 0 {
		fmt.Fprintf(os.Stderr, "a child process was left: wait4 says %d, %v\n", pid, err)
		code = 1
	}
	os.Exit(code)
}

// crewWords is the size of a crew's memory.
const crewWords = 16

// A crew is a run of several processes that all do the same job on one memory.
type crew struct {
	job     string
	members int
	rounds  int
	watched bool
	// asItComes lets each member begin when it has started; else all begin when the
	// last one has.
	asItComes bool
}

// The crew's memory: words 0 and 1 are for the job, word 2 is a lock, words 8
// and up are private to one member each.
const (
	counter = 0
	flag    = 1
	lock    = 2
	private = 8
)

// jobs are one round of each job, for member me.
var jobs = map[string]func(m *shm.Memory, lockFile *os.File, me, round int){
	"unlocked": func(m *shm.Memory, _ *os.File, _, _ int) {
		m.Store(counter, m.Load(counter)+1)
	},
	"locked write only": func(m *shm.Memory, f *os.File, _, _ int) {
		v := m.Load(counter)
		flock(f, unix.LOCK_EX)
		m.Store(counter, v+1)
		flock(f, unix.LOCK_UN)
	},
	"plain beside atomic": func(m *shm.Memory, _ *os.File, me, _ int) {
		if me%2 == 0 {
			m.Store(counter, m.Load(counter)+1)
		} else {
			m.Add(counter, 1)
		}
	},
	"flock": func(m *shm.Memory, f *os.File, _, _ int) {
		flock(f, unix.LOCK_EX)
		m.Store(counter, m.Load(counter)+1)
		flock(f, unix.LOCK_UN)
	},
	"spin lock": func(m *shm.Memory, _ *os.File, _, _ int) {
		for !m.CompareAndSwap(lock, 0, 1) {
			runtime.Gosched()
		}
		m.Store(counter, m.Load(counter)+1)
		m.AtomicStore(lock, 0)
	},
	"atomic": func(m *shm.Memory, _ *os.File, _, _ int) {
		m.Add(counter, 1)
	},
	"private": func(m *shm.Memory, _ *os.File, me, _ int) {
		m.Store(private+me, m.Load(private+me)+1)
	},
	"read sharing": func(m *shm.Memory, _ *os.File, _, _ int) {
		m.Load(counter)
		m.Load(flag)
	},
	// Word flag is handed from one member to the next by an atomic store, and
	// read plainly by whom it then belongs to.
	"handed over": func(m *shm.Memory, _ *os.File, me, _ int) {
		for v := m.AtomicLoad(flag); v%4 != int64(me); v = m.AtomicLoad(flag) {
			must(m.Wait(context.Background(), flag, v))
		}
		v := m.Load(flag)
		m.Store(counter, m.Load(counter)+1)
		m.AtomicStore(flag, v+1)
		_, err := m.Wake(flag, 4)
		must(err)
	},
}

func flock(f *os.File, how int) {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if err == nil {
			return
		}
		if err != unix.EINTR {
			must(err)
		}
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// crewMember is a member's process: shm-crew JOB ME ROUNDS LOCKFILE, with the
// memory as descriptor 3, its "ready" as 4, the crew's "go" as 5, and a pipe with
// one byte in it as 6 and 7.
func crewMember() {
	if err := member(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func member(args []string) error {
	me, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	rounds, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	lockFile, err := os.OpenFile(args[3], os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	m, err := shm.Map(os.NewFile(3, "memory"), crewWords)
	if err != nil {
		return err
	}
	os.NewFile(4, "ready").Close()
	if _, err := io.ReadAll(os.NewFile(5, "go")); err != nil {
		return err
	}
	job := jobs[args[0]]
	for r := range rounds {
		job(m, lockFile, me, r)
	}
	return m.Unmap()
}

// A result is what came of a crew's run.
type result struct {
	counter int64
	races   []evidence.SharedRace
	watches int64
}

// run runs the crew to its end.
func (c crew) run(t testing.TB) result {
	t.Helper()
	dir := t.TempDir()
	memory, err := os.Create(filepath.Join(dir, "memory"))
	require.NoError(t, err)
	defer memory.Close()
	require.NoError(t, memory.Truncate(crewWords*shm.WordSize))
	watchDir := ""
	if c.watched {
		watchDir = filepath.Join(dir, "watch")
		require.NoError(t, os.Mkdir(watchDir, 0o700))
	}
	ready, readyWriter, err := os.Pipe()
	require.NoError(t, err)
	defer ready.Close()
	goReader, goWriter, err := os.Pipe()
	require.NoError(t, err)
	defer goWriter.Close()

	token, tokenWriter, err := os.Pipe()
	require.NoError(t, err)
	defer token.Close()
	defer tokenWriter.Close()
	_, err = tokenWriter.Write([]byte{1})
	require.NoError(t, err)

	var cmds []*exec.Cmd
	for me := range c.members {
		if c.asItComes && me == 0 {
			goWriter.Close()
		}
		cmd := reexec.Command("shm-crew", c.job, strconv.Itoa(me), strconv.Itoa(c.rounds), filepath.Join(dir, "lock"))
		cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", watch.Env+"="+watchDir)
		cmd.Stderr = os.Stderr
		cmd.ExtraFiles = []*os.File{memory, readyWriter, goReader, token, tokenWriter}
		require.NoError(t, cmd.Start())
		cmds = append(cmds, cmd)
	}
	readyWriter.Close()
	goReader.Close()
	_, err = io.ReadAll(ready) // its end: all members are ready
	require.NoError(t, err)
	goWriter.Close()
	for _, cmd := range cmds {
		require.NoError(t, cmd.Wait())
	}

	m, err := shm.Map(memory, crewWords)
	require.NoError(t, err)
	res := result{counter: m.AtomicLoad(counter)}
	require.NoError(t, m.Unmap())
	if c.watched {
		res.races, err = watch.Read(watchDir, 0, -1)
		require.NoError(t, err)
		res.watches, err = watch.Watches(watchDir, int(memory.Fd()))
		require.NoError(t, err)
	}
	return res
}
