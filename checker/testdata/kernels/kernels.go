// Package kernels holds mistakes between goroutines that do not block, in the shapes in
// which they were found in large programs (GoBench's GoKer: Yuan, Li, Lu, Liu, Li, Xue,
// CGO 2021), as small as they can be. Each does its work once. BenchmarkMix counts how
// many of them some runs find.
package kernels

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Captured lets goroutines use a variable that the loop goes on to change.
func Captured(n int) int {
	var wg sync.WaitGroup
	var last int
	for i := 0; i < n; i++ {
		last = i
		wg.Add(1)
		go func() {
			defer wg.Done()
			_ = last
		}()
	}
	wg.Wait()
	return last
}

// Map is written by two.
func Map() int {
	m := map[int]int{}
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() { m[i]++ })
	}
	wg.Wait()
	return len(m)
}

// DoubleClose lets two close one channel: both have looked before.
func DoubleClose() {
	done := make(chan struct{})
	end := func() {
		select {
		case <-done:
		default:
			close(done)
		}
	}
	var wg sync.WaitGroup
	wg.Go(end)
	wg.Go(end)
	wg.Wait()
}

// AddInside adds to the group in the goroutine that is to be waited for.
func AddInside(n int) int64 {
	var wg sync.WaitGroup
	var sum atomic.Int64
	for range n {
		go func() {
			wg.Add(1)
			defer wg.Done()
			sum.Add(1)
		}()
	}
	wg.Wait()
	return sum.Load()
}

// CheckThenAct takes the last one twice: the lock is released between the look and
// the act.
func CheckThenAct() int {
	var mu sync.Mutex
	left, taken := 1, 0
	take := func() {
		mu.Lock()
		there := left > 0
		mu.Unlock()
		if there {
			mu.Lock()
			left--
			taken++
			mu.Unlock()
		}
	}
	var wg sync.WaitGroup
	wg.Go(take)
	wg.Go(take)
	wg.Wait()
	return taken
}

// SendOnClosed sends to a channel that the receiver closes when it has had enough.
func SendOnClosed() (err error) {
	c := make(chan int, 1)
	var mu sync.Mutex
	closed := false
	var wg sync.WaitGroup
	wg.Go(func() {
		defer func() {
			if recover() != nil {
				err = errors.New("sent on a closed channel")
			}
		}()
		mu.Lock()
		ok := !closed
		mu.Unlock()
		if ok {
			c <- 1
		}
	})
	wg.Go(func() {
		mu.Lock()
		closed = true
		mu.Unlock()
		close(c)
	})
	wg.Wait()
	return err
}

// LateError writes the result after it has said that it is done.
func LateError() error {
	var err error
	done := make(chan struct{})
	go func() {
		close(done)
		err = errors.New("it failed")
	}()
	<-done
	return err
}

// TimedOut gives up on a worker and reads what that still writes.
func TimedOut(ctx context.Context) int {
	n := 0
	done := make(chan struct{})
	go func() {
		n++
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	return n
}

// ReadLocked writes under the lock for readers.
func ReadLocked() int {
	var mu sync.RWMutex
	n := 0
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			mu.RLock()
			n++
			mu.RUnlock()
		})
	}
	wg.Wait()
	return n
}

// Once is tested for without the lock, and set under it.
func Once() *int {
	var mu sync.Mutex
	var it *int
	get := func() *int {
		if it == nil {
			mu.Lock()
			if it == nil {
				it = new(int)
			}
			mu.Unlock()
		}
		return it
	}
	var wg sync.WaitGroup
	wg.Go(func() { get() })
	wg.Go(func() { get() })
	wg.Wait()
	return get()
}

// Stopped reads the time that a timer's function sets.
func Stopped() bool {
	fired := false
	t := time.AfterFunc(time.Millisecond, func() { fired = true })
	time.Sleep(time.Millisecond)
	t.Stop()
	return fired
}

// AtomicThenPlain counts atomically, and reads as if nobody did.
func AtomicThenPlain() int64 {
	var n int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		atomic.AddInt64(&n, 1)
	}()
	v := n
	<-done
	return v
}

// Order takes the first answer for that of the first question.
func Order() []int {
	answers := make(chan int, 2)
	for i := range 2 {
		go func() { answers <- i }()
	}
	return []int{<-answers, <-answers}
}
