// Package event waits for something that happens in another process.
//
// A worker has finished, a server is ready, a file is complete: one process
// knows, others wait for it. An event is the smallest tool for that: a flag
// that is unset at first, that one process sets, and that wakes every process
// that waits for it. It carries no data, it only says "now".
//
// A channel cannot do it, since it lives in one process. A loop that asks "is
// it so yet?" burns a processor, and a sleep is a guess. The kernel has what
// is needed.
//
// So an event has two ends, like a pipe, and each process holds only what it
// needs: who waits has a Waiter, who sets has a Setter.
//
// Write the functions marked TODO in this file.
package event

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"prokata/checker/todo"
)

// ErrAbandoned is returned by Wait when the event is unset and no process is
// left that could set it: each one that held a Setter has closed it or ended.
var ErrAbandoned = errors.New("event: abandoned: no process is left that could set it")

// A Waiter is the waiting end of an event. Its methods may be called by
// several goroutines at once.
type Waiter struct {
	pipe *os.File // the reading end
}

// A Setter is the setting end of an event. Its methods may be called by
// several goroutines at once.
type Setter struct {
	pipe *os.File // the writing end
}

// New returns the two ends of a new event, which is unset. The caller closes
// both. If the system refuses what an event needs, New returns the system's error,
// and no end; nothing stays open.
func New() (*Waiter, *Setter, error) {
	// TODO: make a pipe (see below).
	return nil, nil, todo.Err("event: New")
}

// Start starts cmd, a child that takes the setting end of a new event under
// the given name (see OpenSetter), and returns the waiting end. The child alone
// can set the event: if it ends without, Wait returns ErrAbandoned. The caller
// closes the Waiter, and waits for cmd. If the child cannot be started, Start
// returns the system's error, and no Waiter; nothing stays open.
func Start(cmd *exec.Cmd, name string) (*Waiter, error) {
	// TODO: hand the setting end to the child, and give up your own.
	return nil, todo.Err("event: Start")
}

// Wait returns nil as soon as the event is set, at once if it is set already,
// also when ctx has ended. It takes nothing away: the event stays set, for this
// process and for the others. Waiting costs no CPU time.
//
// Wait returns ctx.Err() if ctx ends first, whatever the cause; ErrAbandoned if
// nobody is left who could set the event; os.ErrClosed when the Waiter is closed
// meanwhile; and what the system says if it has not got what is needed to wait.
// A Wait that is still on its way when Clear is called may miss the set.
func (w *Waiter) Wait(ctx context.Context) error {
	// TODO: sleep until the event is set.
	return todo.Err("event: Waiter.Wait")
}

// IsSet says whether the event is set. It returns os.ErrClosed after Close.
func (w *Waiter) IsSet() (bool, error) {
	// TODO: look, and do not wait.
	return false, todo.Err("event: Waiter.IsSet")
}

// Clear unsets the event for every process, however often it was set. It does
// nothing to an event that is unset. It returns os.ErrClosed after Close.
func (w *Waiter) Clear() error {
	// TODO: make it as it was before Set.
	return todo.Err("event: Waiter.Clear")
}

// Pass lets the child that cmd will start take this end under the given name,
// by OpenWaiter. No other child gets it. What cmd has already of environment and
// files stays: one whose Env is nil inherits this process's environment still. A
// Waiter and a Setter may go by the same name. Close the Waiter only after cmd has
// started.
func (w *Waiter) Pass(cmd *exec.Cmd, name string) {
	// TODO: make the pipe one of the child's files, and tell it which.
	todo.Err("event: Waiter.Pass")
}

// Close gives up this process's waiting end. Every Wait in progress on it
// returns os.ErrClosed. To other processes, and to the event, it does nothing.
func (w *Waiter) Close() error {
	// TODO: close the pipe; who still waits?
	return todo.Err("event: Waiter.Close")
}

// Set sets the event and wakes every process that waits for it. It never
// blocks. To set an event that is set already changes nothing, and it is no
// error if nobody is left who waits. It returns os.ErrClosed after Close.
func (s *Setter) Set() error {
	// TODO: tell those who wait.
	return todo.Err("event: Setter.Set")
}

// Pass lets the child that cmd will start take this end under the given name,
// by OpenSetter, as Pass of a Waiter does. Close the Setter only after cmd has
// started.
func (s *Setter) Pass(cmd *exec.Cmd, name string) {
	// TODO: as for the Waiter.
	todo.Err("event: Setter.Pass")
}

// Close gives up this process's setting end. An event that is set stays so.
func (s *Setter) Close() error {
	// TODO: close the pipe.
	return todo.Err("event: Setter.Close")
}

// OpenWaiter returns the waiting end that the parent passed to this process
// under the given name. It can be taken once: a name that was not passed, or is
// taken already, is an error that wraps fs.ErrNotExist. The end is not handed
// on to this process's own children, except by Pass: neither the name nor a
// descriptor.
func OpenWaiter(name string) (*Waiter, error) {
	// TODO: find the descriptor that Pass has announced.
	return nil, todo.Err("event: OpenWaiter")
}

// OpenSetter is OpenWaiter for the setting end.
func OpenSetter(name string) (*Setter, error) {
	// TODO: as for the Waiter.
	return nil, todo.Err("event: OpenSetter")
}

// pipe returns the two ends of a pipe whose reads and writes never block, also
// not in a child that gets an end of it. (The ends that os.Pipe returns become
// blocking ones when they are handed to a child.)
func pipe() (r, w *os.File, err error) {
	var fd [2]int
	syscall.ForkLock.RLock() // no child may start before the ends close on exec
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(fd[:]); err != nil {
		return nil, nil, err
	}
	for _, end := range fd {
		unix.CloseOnExec(end)
		_ = unix.SetNonblock(end, true) // an error would mean that it is closed
	}
	return os.NewFile(uintptr(fd[0]), "event|0"), os.NewFile(uintptr(fd[1]), "event|1"), nil
}

// with calls do with f's descriptor, which stays open meanwhile, and returns
// its error, or os.ErrClosed if f is closed.
func with(f *os.File, do func(fd int) error) error {
	conn, _ := f.SyscallConn() // an error means that f is nil, which it is not
	var failed error
	if err := conn.Control(func(fd uintptr) { failed = do(int(fd)) }); err != nil {
		return os.ErrClosed
	}
	return failed
}
