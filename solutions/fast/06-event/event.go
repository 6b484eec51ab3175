// Package event waits for something that happens in another process: the fast
// form. The flag is a word of shared memory, and a waiter sleeps in a futex on
// it.
//
// To look at the flag costs a few nanoseconds instead of a system call, and so
// does a Set that finds it set. Set and Wait each need one system call, when
// there is somebody to wake or something to wait for. The price is all that a
// pipe does unasked. A futex knows a word, not who may change it: that the last
// setter has died is seen by a pipe beside the word, which carries no data. A
// wait occupies a thread of the operating system, where a goroutine that waits
// for a pipe occupies none. And it is Linux that has a futex: elsewhere package
// shm looks at the word in growing intervals.
//
// Take this form where events come hundreds of thousands of times a second. The
// pipe is the better choice everywhere else.
package event

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"prokata/checker/shm"
)

// ErrAbandoned is returned by Wait when the event is unset and no process is
// left that could set it: each one that held a Setter has closed it or ended.
var ErrAbandoned = errors.New("event: abandoned: no process is left that could set it")

// The one word of an event, and its values.
const (
	flag  = 0
	unset = 0
	set   = 1
)

// A Waiter is the waiting end of an event. Its methods may be called by
// several goroutines at once.
type Waiter struct {
	memory
	life    context.Context         // ends when the event is abandoned, or with Close
	end     context.CancelCauseFunc // ends life
	watched chan struct{}           // closed when nobody watches the setters any more
}

// A Setter is the setting end of an event. Its methods may be called by
// several goroutines at once.
type Setter struct {
	memory
}

// New returns the two ends of a new event, which is unset. The caller closes
// both. If the system refuses what an event needs, New returns the system's error,
// and no end; nothing stays open.
func New() (*Waiter, *Setter, error) {
	f, err := os.CreateTemp("", "event")
	if err != nil {
		return nil, nil, fmt.Errorf("event: make shared file: %w", err)
	}
	// From now on only its descriptors keep the file.
	if err := errors.Join(os.Remove(f.Name()), f.Truncate(shm.WordSize)); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("event: prepare shared file: %w", err), f.Close())
	}
	second, err := duplicate(f)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	r, w, err := pipe()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("event: make pipe: %w", err), f.Close(), second.Close())
	}
	waiter, err := newWaiter(f, r)
	if err != nil {
		return nil, nil, errors.Join(err, second.Close(), w.Close())
	}
	setter, err := newSetter(second, w)
	if err != nil {
		return nil, nil, errors.Join(err, waiter.Close())
	}
	return waiter, setter, nil
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
	return w.with(func(words *shm.Memory) error {
		if words.AtomicLoad(flag) == set {
			return nil
		}
		// Two things may end the wait besides Set: the caller's context and
		// the Waiter's own.
		either, stop := context.WithCancel(ctx)
		defer stop()
		defer context.AfterFunc(w.life, stop)()
		for either.Err() == nil {
			// The kernel compares and falls asleep in one step: a Set that comes
			// in between has changed the word, and is not missed.
			if err := words.Wait(either, flag, unset); err != nil && either.Err() == nil {
				return fmt.Errorf("event: wait: %w", err)
			}
			if words.AtomicLoad(flag) == set {
				return nil
			}
		}
		if words.AtomicLoad(flag) == set { // set, and then abandoned
			return nil
		}
		if w.life.Err() != nil {
			return context.Cause(w.life)
		}
		return ctx.Err()
	})
}

// IsSet says whether the event is set. It returns os.ErrClosed after Close.
func (w *Waiter) IsSet() (bool, error) {
	var is bool
	err := w.with(func(words *shm.Memory) error {
		is = words.AtomicLoad(flag) == set
		return nil
	})
	return is, err
}

// Clear unsets the event for every process, however often it was set. It does
// nothing to an event that is unset. It returns os.ErrClosed after Close.
func (w *Waiter) Clear() error {
	return w.with(func(words *shm.Memory) error {
		words.AtomicStore(flag, unset)
		return nil
	})
}

// Pass lets the child that cmd will start take this end under the given name,
// by OpenWaiter. No other child gets it. What cmd has already of environment and
// files stays: one whose Env is nil inherits this process's environment still. A
// Waiter and a Setter may go by the same name. Close the Waiter only after cmd has
// started.
func (w *Waiter) Pass(cmd *exec.Cmd, name string) { w.pass(cmd, "EVENT_WAITER_"+name) }

// Close gives up this process's waiting end. Every Wait in progress on it
// returns os.ErrClosed. To other processes, and to the event, it does nothing.
func (w *Waiter) Close() error {
	w.end(os.ErrClosed)
	err := w.close()
	<-w.watched // the pipe is closed: the goroutine has nothing left to read
	return err
}

// Set sets the event and wakes every process that waits for it. It never
// blocks. To set an event that is set already changes nothing, and it is no
// error if nobody is left who waits. It returns os.ErrClosed after Close.
func (s *Setter) Set() error {
	return s.with(func(words *shm.Memory) error {
		if words.Swap(flag, set) == set {
			return nil // whoever set it has woken them
		}
		_, err := words.Wake(flag, math.MaxInt32)
		return err
	})
}

// Pass lets the child that cmd will start take this end under the given name,
// by OpenSetter, as Pass of a Waiter does. Close the Setter only after cmd has
// started.
func (s *Setter) Pass(cmd *exec.Cmd, name string) { s.pass(cmd, "EVENT_SETTER_"+name) }

// Close gives up this process's setting end. An event that is set stays so.
func (s *Setter) Close() error { return s.close() }

// OpenWaiter returns the waiting end that the parent passed to this process
// under the given name. It can be taken once: a name that was not passed, or is
// taken already, is an error that wraps fs.ErrNotExist. The end is not handed
// on to this process's own children, except by Pass: neither the name nor a
// descriptor.
func OpenWaiter(name string) (*Waiter, error) {
	file, pulse, err := take("EVENT_WAITER_" + name)
	if err != nil {
		return nil, err
	}
	return newWaiter(file, pulse)
}

// OpenSetter is OpenWaiter for the setting end.
func OpenSetter(name string) (*Setter, error) {
	file, pulse, err := take("EVENT_SETTER_" + name)
	if err != nil {
		return nil, err
	}
	return newSetter(file, pulse)
}

func newWaiter(file, pulse *os.File) (*Waiter, error) {
	w := &Waiter{watched: make(chan struct{})}
	if err := w.open(file, pulse); err != nil {
		return nil, err
	}
	w.life, w.end = context.WithCancelCause(context.Background())
	go func() {
		defer close(w.watched)
		// Nobody ever writes. The read returns when the last writing end is
		// closed, or this reading end is.
		pulse.Read(make([]byte, 1))
		w.end(ErrAbandoned)
	}()
	return w, nil
}

func newSetter(file, pulse *os.File) (*Setter, error) {
	s := &Setter{}
	return s, s.open(file, pulse)
}

// A memory is what both ends have: the word, the file that holds it, and one
// end of the pipe that tells of the setters' death.
type memory struct {
	using sync.RWMutex // held while the words are used: nobody may unmap them
	words *shm.Memory  // nil after close
	file  *os.File
	pulse *os.File
}

// open maps the word. It closes the files if it cannot.
func (m *memory) open(file, pulse *os.File) error {
	words, err := shm.Map(file, 1)
	if err != nil {
		return errors.Join(fmt.Errorf("event: %w", err), file.Close(), pulse.Close())
	}
	m.words, m.file, m.pulse = words, file, pulse
	return nil
}

// with calls do with the words, which stay mapped meanwhile, and returns its
// error, or os.ErrClosed after close.
func (m *memory) with(do func(words *shm.Memory) error) error {
	m.using.RLock()
	defer m.using.RUnlock()
	if m.words == nil {
		return os.ErrClosed
	}
	return do(m.words)
}

// close waits for the last use of the words.
func (m *memory) close() error {
	m.using.Lock()
	defer m.using.Unlock()
	if m.words == nil {
		return os.ErrClosed
	}
	err := errors.Join(m.words.Unmap(), m.file.Close(), m.pulse.Close())
	m.words = nil
	return err
}

// pass makes both files descriptors of cmd's child, and notes their numbers in
// the child's environment, as variable.
func (m *memory) pass(cmd *exec.Cmd, variable string) {
	// The child's ExtraFiles follow standard input, output and error.
	first := 3 + len(cmd.ExtraFiles)
	cmd.Env = append(cmd.Environ(), fmt.Sprintf("%s=%d,%d", variable, first, first+1))
	cmd.ExtraFiles = append(cmd.ExtraFiles, m.file, m.pulse)
}

// take returns the files whose descriptors pass noted as variable.
func take(variable string) (file, pulse *os.File, err error) {
	value, ok := os.LookupEnv(variable)
	if !ok {
		return nil, nil, fmt.Errorf("event: %s: %w", variable, fs.ErrNotExist)
	}
	var fd [2]int
	if _, err := fmt.Sscanf(value, "%d,%d", &fd[0], &fd[1]); err != nil || fd[0] < 3 || fd[1] < 3 {
		return nil, nil, fmt.Errorf("event: %s: %q are no descriptors to take", variable, value)
	}
	// This process's children must get neither the note nor the descriptors:
	// a writing end that lives on in one of them hides this process's death.
	os.Unsetenv(variable)
	unix.CloseOnExec(fd[0])
	unix.CloseOnExec(fd[1])
	return os.NewFile(uintptr(fd[0]), variable), os.NewFile(uintptr(fd[1]), variable), nil
}

// duplicate returns a second descriptor of the file, so that each end of the
// event has its own to close.
func duplicate(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("event: duplicate descriptor: %w", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
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
		if err := unix.SetNonblock(end, true); err != nil {
			return nil, nil, errors.Join(err, unix.Close(fd[0]), unix.Close(fd[1]))
		}
	}
	return os.NewFile(uintptr(fd[0]), "event|0"), os.NewFile(uintptr(fd[1]), "event|1"), nil
}
