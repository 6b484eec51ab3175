package sharedmemory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"prokata/checker/shm"
)

// A Lock is held by one process at a time, and within that process by one
// goroutine at a time.
//
// It is one word of shared memory. Free, it is 0. Held, it names its owner: the
// process ID, and in the upper half the time at which that process started,
// since the system gives a dead process's ID to a new one before long. To take a
// free lock is one compare-and-swap, to release it one swap; nobody asks the
// kernel. Only those who find it held sleep there, by futex, which goes by the
// lower half of the word.
//
// A futex knows no owner, so a dead one releases nothing. But the word names it,
// and the kernel tells who has died: a waiter watches the owner by a pidfd.
type Lock struct {
	words  *shm.Memory
	word   int
	me     int64         // the word when this process holds the lock
	inside chan struct{} // full while a goroutine of this process holds or seeks the lock
	held   atomic.Bool   // by this process
}

const (
	waiters = 1 << 30 // somebody sleeps: the owner has to wake. No process ID is as large.
	pidMask = waiters - 1

	abandoned = 1 // the ID of init, which takes no locks: the owner is gone, but lives
)

func newLock(_ *os.File, words *shm.Memory, word int) (*Lock, error) {
	start, err := startTime(os.Getpid())
	if err != nil {
		return nil, err
	}
	return &Lock{words: words, word: word, me: start<<32 | int64(os.Getpid()), inside: make(chan struct{}, 1)}, nil
}

// abandon is for Close: if this process holds the lock, the others learn that
// its owner is gone.
func (l *Lock) abandon() {
	if l.held.CompareAndSwap(true, false) {
		l.free(abandoned)
	}
}

// free puts v in place of the owner, and wakes who waits. It wakes all of them: a
// single one might be killed before it gets to the lock, and the others sleep on.
func (l *Lock) free(v int64) {
	if l.words.Swap(l.word, v)&waiters != 0 {
		_, _ = l.words.Wake(l.word, math.MaxInt32) // an error there would be a wrong address
	}
}

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
	mine := l.me
	for {
		seen, died := l.spin(), false
		if seen != 0 {
			if !l.words.CompareAndSwap(l.word, seen, seen|waiters) {
				continue
			}
			// From now on this process takes the lock with the mark of
			// waiters: it cannot know whether it was the only one.
			seen |= waiters
			mine = l.me | waiters
			var err error
			if died, err = l.sleep(ctx, seen); err != nil {
				<-l.inside
				return err
			}
			if !died {
				continue
			}
		}
		if l.words.CompareAndSwap(l.word, seen, mine) {
			return l.enter(died)
		}
	}
}

// spin looks at the word until the lock is free, but not for long: less than it
// costs to sleep.
func (l *Lock) spin() int64 {
	for range 10 {
		if l.words.AtomicLoad(l.word) == 0 {
			return 0
		}
		runtime.Gosched()
	}
	return l.words.AtomicLoad(l.word)
}

// enter is the beginning of a time in which this process holds the lock.
func (l *Lock) enter(died bool) error {
	l.held.Store(true)
	if died {
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
	err := ErrLocked
	seen, died := l.words.AtomicLoad(l.word), false
	if seen != 0 {
		var derr error
		if died, derr = dead(seen); derr != nil {
			err = derr
		}
	}
	if (seen == 0 || died) && l.words.CompareAndSwap(l.word, seen, l.me|seen&waiters) {
		return l.enter(died)
	}
	<-l.inside
	return err
}

// Release gives the lock back. If this process does not hold it, Release returns
// ErrNotHeld and changes nothing.
func (l *Lock) Release() error {
	if !l.held.CompareAndSwap(true, false) {
		return ErrNotHeld
	}
	l.free(0)
	<-l.inside
	return nil
}

// sleep waits until the word is no longer as it was seen, or its owner has died,
// which it says, or the context has ended, which alone is an error.
func (l *Lock) sleep(ctx context.Context, seen int64) (died bool, err error) {
	f, err := openProcess(seen)
	if f == nil {
		return err == nil, err
	}
	watched, end := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if died = waitForEnd(f); died {
			end()
		}
	}()
	err = l.words.Wait(watched, l.word, seen)
	_ = f.SetReadDeadline(time.Unix(1, 0)) // ends waitForEnd
	<-done
	end()
	if died || errors.Is(err, watched.Err()) {
		err = ctx.Err()
	}
	return died, errors.Join(err, f.Close())
}

// dead says whether the owner that a word names has ended.
func dead(word int64) (bool, error) {
	f, err := openProcess(word)
	if f == nil {
		return err == nil, err
	}
	return false, f.Close()
}

// openProcess returns the owner that a word names as a file that can be read
// once the process has ended, or nil if it has ended already. The file stands
// for that very process, not for a later one with the same ID.
func openProcess(word int64) (*os.File, error) {
	pid := int(word & pidMask)
	if pid == abandoned {
		return nil, nil
	}
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.ESRCH) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	f := os.NewFile(uintptr(fd), "process "+strconv.Itoa(pid))
	start, err := startTime(pid)
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, unix.ESRCH):
		return nil, f.Close()
	case err != nil:
		return nil, errors.Join(err, f.Close())
	case start != word>>32 || ended(fd):
		return nil, f.Close()
	}
	return f, nil
}

// ended says whether the process has ended, waited for or not.
func ended(pidfd int) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, 0)
	return n > 0 && err == nil
}

// waitForEnd sleeps until the process has ended, which it says, or the file's
// deadline is over.
func waitForEnd(f *os.File) bool {
	c, err := f.SyscallConn()
	if err != nil {
		return false
	}
	return c.Read(func(fd uintptr) bool { return ended(int(fd)) }) == nil
}

// startTime returns when a process started, in ticks since the system did, cut
// to 31 bits: field 22 of /proc/PID/stat,
//
//	4312 (a name) S 4310 4312 4290 34816 4312 4194304 …
//
// counted from behind the name, which may hold anything.
func startTime(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 20 {
		return 0, fmt.Errorf("start of process %d: unknown form %q", pid, b)
	}
	ticks, err := strconv.ParseInt(string(fields[19]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("start of process %d: %w", pid, err)
	}
	return ticks & math.MaxInt32, nil
}
