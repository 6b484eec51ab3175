// Flaw: The event is a channel of this process.
// Why: Inside one process a closed channel is the perfect event. A child has a copy of the program,
// not of its memory: it closes a channel of its own.
//
// want deadlock TestSetInTheChildWakesTheParent TestAllWaitersWake TestTwoEventsKeepApart
// want wrong TestClearOfAnUnsetEvent TestStartFails
package event

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
)

// ErrAbandoned is returned by Wait when the event is unset and no process is
// left that could set it: each one that held a Setter has closed it or ended.
var ErrAbandoned = errors.New("event: abandoned: no process is left that could set it")

// A Waiter is the waiting end of an event. Its methods may be called by
// several goroutines at once.
type Waiter struct {
	flag *flag
	open context.Context    // ends with Close, which thereby ends every Wait
	end  context.CancelFunc // ends open
}

// A Setter is the setting end of an event. Its methods may be called by
// several goroutines at once.
type Setter struct {
	flag   *flag
	closed atomic.Bool
}

// A flag is what the two ends share.
type flag struct {
	mu   sync.Mutex
	set  bool
	done chan struct{}
}

// New returns the two ends of a new event, which is unset. The caller closes
// both.
func New() (*Waiter, *Setter, error) {
	f := &flag{done: make(chan struct{})}
	return newWaiter(f), &Setter{flag: f}, nil
}

// Start starts cmd, a child that takes the setting end of a new event under
// the given name (see OpenSetter), and returns the waiting end. The child alone
// can set the event: if it ends without, Wait returns ErrAbandoned. The caller
// closes the Waiter, and waits for cmd.
func Start(cmd *exec.Cmd, name string) (*Waiter, error) {
	w, s, err := New()
	if err != nil {
		return nil, err
	}
	// While this process holds a writing end too, the pipe has a writer,
	// and the child's death would never show.
	s.Close()
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
// Wait returns ctx.Err() if ctx ends first, ErrAbandoned if nobody is left who
// could set the event, and os.ErrClosed when the Waiter is closed meanwhile.
// A Wait that is still on its way when Clear is called may miss the set.
func (w *Waiter) Wait(ctx context.Context) error {
	if set, err := w.IsSet(); set || err != nil {
		return err
	}
	w.flag.mu.Lock()
	done := w.flag.done
	w.flag.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-w.open.Done():
		return os.ErrClosed
	}
}

// IsSet says whether the event is set. It returns os.ErrClosed after Close.
func (w *Waiter) IsSet() (bool, error) {
	if w.open.Err() != nil {
		return false, os.ErrClosed
	}
	w.flag.mu.Lock()
	defer w.flag.mu.Unlock()
	return w.flag.set, nil
}

// Clear unsets the event for every process, however often it was set. It does
// nothing to an event that is unset. It returns os.ErrClosed after Close.
func (w *Waiter) Clear() error {
	if w.open.Err() != nil {
		return os.ErrClosed
	}
	w.flag.mu.Lock()
	defer w.flag.mu.Unlock()
	if w.flag.set {
		w.flag.set, w.flag.done = false, make(chan struct{})
	}
	return nil
}

// Pass lets the child that cmd will start take this end under the given name,
// by OpenWaiter. Close the Waiter only after cmd has started.
func (w *Waiter) Pass(cmd *exec.Cmd, name string) { pass(cmd, "EVENT_WAITER_"+name) }

// Close gives up this process's waiting end. Every Wait in progress on it
// returns os.ErrClosed.
func (w *Waiter) Close() error {
	w.end()
	return nil
}

// Set sets the event and wakes every process that waits for it. It never
// blocks. To set an event that is set already changes nothing, and it is no
// error if nobody is left who waits. It returns os.ErrClosed after Close.
func (s *Setter) Set() error {
	if s.closed.Load() {
		return os.ErrClosed
	}
	s.flag.mu.Lock()
	defer s.flag.mu.Unlock()
	if !s.flag.set {
		s.flag.set = true
		close(s.flag.done)
	}
	return nil
}

// Pass lets the child that cmd will start take this end under the given name,
// by OpenSetter. Close the Setter only after cmd has started.
func (s *Setter) Pass(cmd *exec.Cmd, name string) { pass(cmd, "EVENT_SETTER_"+name) }

// Close gives up this process's setting end. An event that is set stays so.
func (s *Setter) Close() error {
	s.closed.Store(true)
	return nil
}

// OpenWaiter returns the waiting end that the parent passed to this process
// under the given name. It can be taken once: a name that was not passed, or is
// taken already, is an error that wraps fs.ErrNotExist. The end is not handed
// on to this process's own children, except by Pass.
func OpenWaiter(name string) (*Waiter, error) {
	if err := take("EVENT_WAITER_" + name); err != nil {
		return nil, err
	}
	return newWaiter(&flag{done: make(chan struct{})}), nil
}

// OpenSetter is OpenWaiter for the setting end.
func OpenSetter(name string) (*Setter, error) {
	if err := take("EVENT_SETTER_" + name); err != nil {
		return nil, err
	}
	return &Setter{flag: &flag{done: make(chan struct{})}}, nil
}

func newWaiter(f *flag) *Waiter {
	open, end := context.WithCancel(context.Background())
	return &Waiter{flag: f, open: open, end: end}
}

// pass notes in the child's environment that it has the event.
func pass(cmd *exec.Cmd, variable string) { cmd.Env = append(cmd.Environ(), variable+"=1") }

// take says whether the parent has passed the event.
func take(variable string) error {
	if _, ok := os.LookupEnv(variable); !ok {
		return fmt.Errorf("event: %s: %w", variable, fs.ErrNotExist)
	}
	os.Unsetenv(variable)
	return nil
}
