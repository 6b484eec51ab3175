// Package deadlock brings about a deadlock between processes, on purpose and for
// certain, and then takes it apart.
//
// Four things together make a deadlock: what is held, nobody else can have; who
// holds one thing waits for another; nobody can take it from him; and the waits
// form a circle. The file deadlock.go builds the lock and closes the circle.
// The file dine.go seats philosophers around a table and breaks one of the four
// in each of three ways: an order of the locks, a semaphore that leaves one
// philosopher out, and putting down again what is held.
//
// The lock is a file: flock gives it to one open file at a time, and the kernel
// releases it when the process that opened the file ends, however it ends.
// The semaphore is a pipe: a byte in it is a permit.
package deadlock

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/moby/sys/reexec"
	"golang.org/x/sys/unix"
)

func init() {
	reexec.Register("deadlocker", deadlocker)
	reexec.Register("philosopher", philosopher)
}

// Errors for a lock that was used in the wrong order.
var (
	ErrHeld    = errors.New("lock is already held")
	ErrNotHeld = errors.New("lock is not held")
)

// LockPath returns the path of lock number i, from 0 to 999, in the folder dir.
// The order of the paths is the order of the numbers.
func LockPath(dir string, i int) string {
	return filepath.Join(dir, fmt.Sprintf("fork-%03d", i))
}

// A Lock is held by at most one Lock of the same path at a time, in this process
// or any other. One goroutine at a time may use it.
type Lock struct {
	path string
	file *os.File
	held bool
}

// OpenLock opens the lock with the given path and makes its file if there is
// none. It does not acquire it. An error wraps that of the system.
func OpenLock(path string) (*Lock, error) {
	// A lock by flock belongs to the open file, not to the process: each OpenLock
	// opens the file anew, so that two Locks exclude each other even here.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	return &Lock{path: path, file: f}, nil
}

// Acquire waits until the lock is free and takes it. To acquire a lock that this
// Lock holds is ErrHeld and not a wait for oneself.
func (l *Lock) Acquire() error {
	if l.held {
		return fmt.Errorf("acquire %s: %w", l.path, ErrHeld)
	}
	if err := l.flock(unix.LOCK_EX); err != nil {
		return fmt.Errorf("acquire %s: %w", l.path, err)
	}
	l.held = true
	return nil
}

// TryAcquire takes the lock if it is free, without waiting, and says whether it
// did. ErrHeld means the same as for Acquire.
func (l *Lock) TryAcquire() (bool, error) {
	if l.held {
		return false, fmt.Errorf("acquire %s: %w", l.path, ErrHeld)
	}
	err := l.flock(unix.LOCK_EX | unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("acquire %s: %w", l.path, err)
	}
	l.held = true
	return true, nil
}

// Release gives the lock back; ErrNotHeld if this Lock does not hold it.
func (l *Lock) Release() error {
	if !l.held {
		return fmt.Errorf("release %s: %w", l.path, ErrNotHeld)
	}
	l.held = false
	return l.flock(unix.LOCK_UN)
}

// Close releases the lock if it is held, and lets go of its file: it cannot be
// acquired by this Lock any more. The file itself stays: to remove it would split
// those who have it open from those who open it later, and each side would hold a
// lock of its own.
func (l *Lock) Close() error {
	l.held = false
	return l.file.Close()
}

// flock repeats the call when a signal interrupts it. The call blocks one thread
// of the operating system; Go starts another for the goroutines that can run.
func (l *Lock) flock(how int) error {
	for {
		err := unix.Flock(int(l.file.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// A Simulation is a circle of processes, each of which holds a lock and waits for
// the next one's.
type Simulation struct {
	children []*exec.Cmd
}

// Simulate starts n >= 2 processes. Process i acquires lock i of dir, and after
// all of them have theirs, it goes on to acquire lock (i+1) mod n, which it will
// never get. Simulate returns when every process holds its first lock and was
// told to go on. Each holds its lock until it is killed, also when its garbage is
// collected. When a process fails before that, or cannot be started, all are ended
// and reaped, and Simulate returns an error. There is no Simulation then: nil.
func Simulate(dir string, n int) (*Simulation, error) {
	if n < 2 {
		return nil, fmt.Errorf("simulate: %d processes make no circle", n)
	}
	readyR, readyW, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	defer readyR.Close()
	goR, goW, err := os.Pipe()
	if err != nil {
		readyW.Close()
		return nil, fmt.Errorf("simulate: %w", err)
	}
	defer goW.Close() // also when something failed: nobody is left waiting for it

	s := &Simulation{}
	for i := range n {
		cmd := reexec.Command("deadlocker", LockPath(dir, i), LockPath(dir, (i+1)%n))
		cmd.ExtraFiles = []*os.File{readyW, goR} // its descriptors 3 and 4
		cmd.Stderr = os.Stderr
		if err = cmd.Start(); err != nil {
			break
		}
		s.children = append(s.children, cmd)
	}
	// The children have these ends now. While this process kept one of them, the
	// pipe would have no end, and the loss of a child would go unseen.
	readyW.Close()
	goR.Close()

	// Without this meeting the first process would have both locks before the last
	// one had started: a deadlock needs everybody to hold before anybody waits.
	if err == nil {
		_, err = io.ReadFull(readyR, make([]byte, n))
	}
	if err != nil {
		s.End()
		return nil, fmt.Errorf("simulate: a process ended too early: %w", err)
	}
	return s, nil // and closing goW says go, to all at once
}

// PIDs returns the process IDs: process i waits for process (i+1) mod n.
func (s *Simulation) PIDs() []int {
	var pids []int
	for _, cmd := range s.children {
		pids = append(pids, cmd.Process.Pid)
	}
	return pids
}

// End kills the processes and waits for them. A second End does nothing.
func (s *Simulation) End() { // to those who were waited for, neither loop does anything again
	for _, cmd := range s.children {
		cmd.Process.Kill() // no other way: whoever waits for a lock listens to nobody
	}
	for _, cmd := range s.children {
		// How each ended does not matter: with the first one dead, its lock is free, and
		// who waited for it may have come to its own end meanwhile.
		cmd.Wait()
	}
}

// deadlocker is the life of process i of n: hold one lock, meet the others, wait
// for the next lock.
func deadlocker() {
	ready, start := os.NewFile(3, "ready"), os.NewFile(4, "start")
	if err := holdAndWait(ready, start, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "deadlocker:", err)
		os.Exit(1)
	}
}

func holdAndWait(ready, start *os.File, ownPath, nextPath string) error {
	own, err := OpenLock(ownPath)
	next, nextErr := OpenLock(nextPath)
	if err := errors.Join(err, nextErr); err != nil {
		return err
	}
	if err := own.Acquire(); err != nil {
		return err
	}
	ready.Write([]byte{1})
	ready.Close()              // or the parent could not see that one of the others is missing
	io.Copy(io.Discard, start) // returns when the parent has closed its end
	err = next.Acquire()       // does not return
	// If nothing below named own, the garbage collector could close its file, and so
	// release the lock, while the process waits.
	return errors.Join(err, own.Close())
}
