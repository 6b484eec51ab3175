//go:build !linux

package sharedmemory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"prokata/checker/shm"
)

// A Lock is held by one process at a time, and within that process by one
// goroutine at a time. Where there is no futex, it is the kernel's record lock, as
// in solutions/03-shared-memory.
type Lock struct {
	file   *os.File
	words  *shm.Memory
	owner  int           // the word that holds the owner's process ID, or 0
	inside chan struct{} // full while a goroutine of this process holds or seeks the lock
	held   atomic.Bool   // by this process
}

func newLock(f *os.File, words *shm.Memory, owner int) (*Lock, error) {
	return &Lock{file: f, words: words, owner: owner, inside: make(chan struct{}, 1)}, nil
}

// abandon is for Close: the kernel releases the lock with the file.
func (l *Lock) abandon() {}

// Acquire waits until it gets the lock, or until the context ends: then it returns
// the context's error, even if the lock is free. Nothing else ends the wait, not
// even that the holder of this lock waits for another one that this process holds:
// it may have goroutines that do not wait. It uses no processor time while it waits.
//
// If the former owner ended without a Release, Acquire returns ErrOwnerDied, to
// this caller alone. The caller then HOLDS the lock, and what the lock guards
// may be half done.
func (l *Lock) Acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l.inside <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := l.acquire(ctx); err != nil {
		<-l.inside
		return err
	}
	return l.enter()
}

// acquire gets the kernel's lock.
func (l *Lock) acquire(ctx context.Context) error {
	if ctx.Done() == nil {
		err := l.fcntl(unix.F_SETLKW, unix.F_WRLCK) // sleeps in the kernel
		if !errors.Is(err, unix.EDEADLK) {
			return err
		}
		// The kernel knows processes, not goroutines: it refuses to let two of them wait
		// for each other, though each may have another goroutine that will release.
	}
	// Nothing but a signal ends that sleep. So with a context that can end, ask
	// again and again, less and less often.
	for d := 50 * time.Microsecond; ; d = min(2*d, 5*time.Millisecond) {
		err := l.fcntl(unix.F_SETLK, unix.F_WRLCK)
		if !errors.Is(err, ErrLocked) {
			return err
		}
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// enter notes this process as the owner. The kernel releases a dead process's
// lock without a word: but the note is still there, and tells.
func (l *Lock) enter() error {
	l.held.Store(true)
	if l.words.Swap(l.owner, int64(os.Getpid())) != 0 {
		return ErrOwnerDied
	}
	return nil
}

// TryAcquire gets the lock if it is free, and returns ErrLocked if it is not.
// ErrOwnerDied means the same as for Acquire.
func (l *Lock) TryAcquire() error {
	select {
	case l.inside <- struct{}{}:
	default:
		return ErrLocked
	}
	if err := l.fcntl(unix.F_SETLK, unix.F_WRLCK); err != nil {
		<-l.inside
		return err
	}
	return l.enter()
}

// Release gives the lock back. If this process does not hold it, Release returns
// ErrNotHeld and changes nothing.
func (l *Lock) Release() error {
	if !l.held.CompareAndSwap(true, false) {
		return ErrNotHeld
	}
	l.words.AtomicStore(l.owner, 0)
	err := l.fcntl(unix.F_SETLK, unix.F_UNLCK)
	<-l.inside
	return err
}

// fcntl sets a record lock on the whole file. Such a lock belongs to the
// process, whatever descriptor it uses; a lock by flock would belong to the open
// file, and child and parent, who share that by inheritance, would hold it
// together. The price: it knows no goroutines (hence inside), and it is lost as
// soon as the process closes any descriptor of the file.
func (l *Lock) fcntl(command int, kind int16) error {
	for {
		err := unix.FcntlFlock(l.file.Fd(), command, &unix.Flock_t{Type: kind, Whence: io.SeekStart})
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES): // what F_SETLK says, by system
			return ErrLocked
		default:
			return fmt.Errorf("lock a segment: %w", err)
		}
	}
}
