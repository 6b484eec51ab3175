package shm

import (
	"context"
	"fmt"
	"math"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Operations of futex(2). They are the shared ones, without
// FUTEX_PRIVATE_FLAG: the kernel finds the waiters by file and offset, so that
// each process may have the word at another address.
const (
	futexWait = 0
	futexWake = 1
)

// Wait sleeps for as long as the lower 32 bits of word i are those of v and
// nobody calls Wake for it, and costs no processor time meanwhile. It may also
// return without cause, so the caller checks its condition in a loop.
//
// Wait returns the context's error if the context ends first; a Wake that it
// took on its way out goes to another waiter.
//
// It sleeps in a plain FUTEX_WAIT without a limit also under a context that has
// one: what ends the wait is a timer or a cancel inside of this process. So a
// look from outside can tell a wait that nothing will end.
func (m *Memory) Wait(ctx context.Context, i int, v int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := m.at(i)
	if ctx.Done() != nil {
		w := waker{word: p, left: make(chan struct{}), done: make(chan struct{})}
		stop := context.AfterFunc(ctx, w.run)
		defer func() {
			close(w.left)
			if !stop() {
				<-w.done
			}
		}()
	}
	for int32(m.AtomicLoad(i)) == int32(v) {
		_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(low(p))), futexWait, uintptr(uint32(v)), 0, 0, 0)
		if err := ctx.Err(); err != nil {
			if errno == 0 {
				wake(p, 1)
			}
			return err
		}
		switch errno {
		case 0, unix.EAGAIN: // woken, or the word had changed already
			return nil
		case unix.EINTR:
		default:
			return fmt.Errorf("shm: wait for word %d of %s: %w", i, m.name, errno)
		}
	}
	return nil
}

// A waker ends the wait of one waiter whose context has ended.
type waker struct {
	word *int64
	left chan struct{} // closed once the waiter has left
	done chan struct{}
}

// run wakes everybody at the word until the waiter has left. One call would not
// do: the waiter may stand just before its system call.
func (w waker) run() {
	defer close(w.done)
	t := time.NewTimer(0)
	defer t.Stop()
	for d := 20 * time.Microsecond; ; d = min(2*d, 10*time.Millisecond) {
		select {
		case <-w.left:
			return
		case <-t.C:
			wake(w.word, math.MaxInt32)
			t.Reset(d)
		}
	}
}

// Wake wakes at most n processes that wait for word i, and returns how many
// there were. Change the word first, then wake.
func (m *Memory) Wake(i, n int) (int, error) {
	if n < 1 {
		return 0, nil
	}
	woken, errno := wake(m.at(i), min(n, math.MaxInt32))
	if errno != 0 {
		return 0, fmt.Errorf("shm: wake word %d of %s: %w", i, m.name, errno)
	}
	return woken, nil
}

func wake(p *int64, n int) (int, unix.Errno) {
	woken, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(low(p))), futexWake, uintptr(n), 0, 0, 0)
	return int(woken), errno
}

// low returns the address of the lower half of *p.
func low(p *int64) *int32 {
	one := int64(1)
	if *(*int32)(unsafe.Pointer(&one)) == 1 { // little-endian
		return (*int32)(unsafe.Pointer(p))
	}
	return (*int32)(unsafe.Add(unsafe.Pointer(p), 4))
}
