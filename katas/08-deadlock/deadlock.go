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
	"os"
	"os/exec"
	"path/filepath"

	"github.com/moby/sys/reexec"

	"prokata/checker/todo"
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
	// TODO: open the file, a new one if there is none
	return nil, todo.Err("deadlock: OpenLock")
}

// Acquire waits until the lock is free and takes it. To acquire a lock that this
// Lock holds is ErrHeld and not a wait for oneself.
func (l *Lock) Acquire() error {
	// TODO: wait for the lock on the file
	return todo.Err("deadlock: Acquire")
}

// TryAcquire takes the lock if it is free, without waiting, and says whether it
// did. ErrHeld means the same as for Acquire.
func (l *Lock) TryAcquire() (bool, error) {
	// TODO: the same, without waiting
	return false, todo.Err("deadlock: TryAcquire")
}

// Release gives the lock back; ErrNotHeld if this Lock does not hold it.
func (l *Lock) Release() error {
	// TODO: give it back
	return todo.Err("deadlock: Release")
}

// Close releases the lock if it is held, and lets go of its file: it cannot be
// acquired by this Lock any more. The file itself stays: to remove it would split
// those who have it open from those who open it later, and each side would hold a
// lock of its own.
func (l *Lock) Close() error {
	// TODO: close the file
	return todo.Err("deadlock: Close")
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
	// TODO: start the processes, let them meet, and send them into the circle
	return nil, todo.Err("deadlock: Simulate")
}

// PIDs returns the process IDs: process i waits for process (i+1) mod n.
func (s *Simulation) PIDs() []int {
	// TODO: tell the process IDs
	todo.Err("deadlock: PIDs")
	return nil
}

// End kills the processes and waits for them. A second End does nothing.
func (s *Simulation) End() {
	// TODO: kill them all, and wait for them
	todo.Err("deadlock: End")
}

// deadlocker is the life of process i of n: hold one lock, meet the others, wait
// for the next lock.
func deadlocker() {
	// TODO: hold one lock, meet the others, acquire the next lock
	todo.Err("deadlock: deadlocker")
	os.Exit(1)
}
