// Package event waits for something that happens in another process.
//
// A worker has finished, a server is ready, a file is complete: one process
// knows, others wait for it. An event is the smallest tool for that: a flag
// that is unset at first, that one process sets, and that wakes every process
// that waits for it. It carries no data, it only says "now".
//
// A channel cannot do it, since it lives in one process. A loop that asks "is
// it so yet?" burns a processor, and a sleep is a guess. The kernel has what
// is needed: a pipe is readable or it is not. That is a flag; every process
// that holds the reading end sees the same flag; poll asks for it and takes
// nothing out; and a process that waits for it sleeps. Better still, the
// kernel counts who holds the writing end: when the last holder has ended
// without a word, the waiters learn that too, and need not wait for ever.
//
// So an event has two ends, like a pipe, and each process holds only what it
// needs: who waits has a Waiter, who sets has a Setter.
package event

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrAbandoned is returned by Wait when the event is unset and no process is
// left that could set it: each one that held a Setter has closed it or ended.
var ErrAbandoned = errors.New("event: abandoned: no process is left that could set it")

// A Waiter is the waiting end of an event. Its methods may be called by
// several goroutines at once.
type Waiter struct {
	pipe *os.File           // the reading end: readable while the event is set
	open context.Context    // ends with Close, which thereby ends every Wait
	end  context.CancelFunc // ends open
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
	r, w, err := pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("event: make pipe: %w", err)
	}
	return newWaiter(r), &Setter{pipe: w}, nil
}

// Start starts cmd, a child that takes the setting end of a new event under
// the given name (see OpenSetter), and returns the waiting end. The child alone
// can set the event: if it ends without, Wait returns ErrAbandoned. The caller
// closes the Waiter, and waits for cmd. If the child cannot be started, Start
// returns the system's error, and no Waiter; nothing stays open.
func Start(cmd *exec.Cmd, name string) (*Waiter, error) {
	w, s, err := New()
	if err != nil {
		return nil, err
	}
	// While this process holds a writing end too, the pipe has a writer,
	// and the child's death would never show.
	defer s.Close()
	s.Pass(cmd, name)
	if err := cmd.Start(); err != nil {
		w.Close()
		return nil, fmt.Errorf("event: start child: %w", err)
	}
	return w, nil
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
	if set, err := w.IsSet(); set || err != nil {
		return err
	}
	// A descriptor of its own for each Wait: the runtime lets one reader at a
	// time wait for a file, and a deadline holds for all who use the file.
	own, err := w.duplicate()
	if err != nil {
		return err
	}
	defer own.Close()
	wake := func() { own.SetReadDeadline(time.Now()) } // ends the read
	defer context.AfterFunc(ctx, wake)()
	defer context.AfterFunc(w.open, wake)()

	conn, _ := own.SyscallConn() // an error means that own is nil, which it is not
	now, failed := unset, error(nil)
	// Read calls the function, and as long as it returns false, parks this
	// goroutine until the runtime's poller sees the pipe change. The function
	// only looks: a byte that one waiter took would be missing for the others.
	conn.Read(func(fd uintptr) bool {
		now, failed = look(int(fd))
		return now != unset || failed != nil
	})
	switch {
	case failed != nil:
		return failed
	case now == set:
		return nil
	case now == abandoned:
		return ErrAbandoned
	case w.open.Err() != nil:
		return os.ErrClosed
	default:
		return ctx.Err()
	}
}

// IsSet says whether the event is set. It returns os.ErrClosed after Close.
func (w *Waiter) IsSet() (bool, error) {
	now := unset
	err := with(w.pipe, func(fd int) (err error) {
		now, err = look(fd)
		return err
	})
	return now == set, err
}

// Clear unsets the event for every process, however often it was set. It does
// nothing to an event that is unset. It returns os.ErrClosed after Close.
func (w *Waiter) Clear() error {
	return with(w.pipe, func(fd int) error {
		buf := make([]byte, 4096)
		for {
			// Set may have written many bytes: the event is unset once the pipe
			// is empty (EAGAIN), or empty for good (0: no writer is left). A signal
			// (EINTR) interrupts only a read that would have to wait.
			n, err := unix.Read(fd, buf)
			switch {
			case err == unix.EAGAIN, n == 0:
				return nil
			case err != nil:
				return fmt.Errorf("event: empty pipe: %w", err)
			}
		}
	})
}

// Pass lets the child that cmd will start take this end under the given name,
// by OpenWaiter. No other child gets it. What cmd has already of environment and
// files stays: one whose Env is nil inherits this process's environment still. A
// Waiter and a Setter may go by the same name. Close the Waiter only after cmd has
// started.
func (w *Waiter) Pass(cmd *exec.Cmd, name string) { pass(cmd, w.pipe, "EVENT_WAITER_"+name) }

// Close gives up this process's waiting end. Every Wait in progress on it
// returns os.ErrClosed. To other processes, and to the event, it does nothing.
func (w *Waiter) Close() error {
	w.end()
	return w.pipe.Close()
}

// Set sets the event and wakes every process that waits for it. It never
// blocks. To set an event that is set already changes nothing, and it is no
// error if nobody is left who waits. It returns os.ErrClosed after Close.
func (s *Setter) Set() error {
	return with(s.pipe, func(fd int) error {
		_, err := unix.Write(fd, []byte{1})
		switch err {
		case nil, unix.EAGAIN, unix.EPIPE:
			// EAGAIN: the pipe is full, so the event is set.
			// EPIPE: there is no reading end any more, so nobody to tell.
			return nil
		default:
			return fmt.Errorf("event: write token: %w", err)
		}
	})
}

// Pass lets the child that cmd will start take this end under the given name,
// by OpenSetter, as Pass of a Waiter does. Close the Setter only after cmd has
// started.
func (s *Setter) Pass(cmd *exec.Cmd, name string) { pass(cmd, s.pipe, "EVENT_SETTER_"+name) }

// Close gives up this process's setting end. An event that is set stays so.
func (s *Setter) Close() error { return s.pipe.Close() }

// OpenWaiter returns the waiting end that the parent passed to this process
// under the given name. It can be taken once: a name that was not passed, or is
// taken already, is an error that wraps fs.ErrNotExist. The end is not handed
// on to this process's own children, except by Pass: neither the name nor a
// descriptor.
func OpenWaiter(name string) (*Waiter, error) {
	f, err := take("EVENT_WAITER_" + name)
	if err != nil {
		return nil, err
	}
	return newWaiter(f), nil
}

// OpenSetter is OpenWaiter for the setting end.
func OpenSetter(name string) (*Setter, error) {
	f, err := take("EVENT_SETTER_" + name)
	if err != nil {
		return nil, err
	}
	return &Setter{pipe: f}, nil
}

func newWaiter(r *os.File) *Waiter {
	open, end := context.WithCancel(context.Background())
	return &Waiter{pipe: r, open: open, end: end}
}

// duplicate returns a second descriptor of the reading end.
func (w *Waiter) duplicate() (*os.File, error) {
	var own *os.File
	err := with(w.pipe, func(fd int) error {
		second, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("event: duplicate descriptor: %w", err)
		}
		own = os.NewFile(uintptr(second), w.pipe.Name())
		return nil
	})
	return own, err
}

// A state is what a pipe says about its event.
type state int

const (
	unset     state = iota // nothing to read, and somebody who may write
	set                    // something to read
	abandoned              // nothing to read, and nobody to write it
)

// look returns the state of the event whose reading end fd is, and takes
// nothing out.
func look(fd int) (state, error) {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(p, 0)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			return unset, fmt.Errorf("event: poll: %w", err)
		}
	}
	readable, ended := p[0].Revents&unix.POLLIN != 0, p[0].Revents&unix.POLLHUP != 0
	if ended && runtime.GOOS != "linux" {
		// Elsewhere the end of the stream counts as readable; there the
		// size of a pipe is the number of bytes in it.
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return unset, fmt.Errorf("event: stat pipe: %w", err)
		}
		readable = st.Size > 0
	}
	switch {
	case readable: // first: what was set stays set when its setter has gone
		return set, nil
	case ended:
		return abandoned, nil
	default:
		return unset, nil
	}
}

// pass makes f a descriptor of cmd's child, and notes its number in the
// child's environment, as variable.
func pass(cmd *exec.Cmd, f *os.File, variable string) {
	// The child's ExtraFiles follow standard input, output and error.
	cmd.Env = append(cmd.Environ(), fmt.Sprintf("%s=%d", variable, 3+len(cmd.ExtraFiles)))
	cmd.ExtraFiles = append(cmd.ExtraFiles, f)
}

// take returns the file whose descriptor pass noted as variable.
func take(variable string) (*os.File, error) {
	fd, err := strconv.Atoi(os.Getenv(variable))
	if err != nil {
		return nil, fmt.Errorf("event: %s: %w", variable, fs.ErrNotExist)
	}
	// This process's children must get neither the note nor the descriptor:
	// a writing end that lives on in one of them hides this process's death.
	os.Unsetenv(variable)
	unix.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), variable), nil
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
