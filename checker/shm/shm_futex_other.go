//go:build !linux

package shm

import (
	"context"
	"time"
)

// Wait sleeps for as long as the lower 32 bits of word i are those of v: the
// part that the kernel compares on Linux, where it does the waiting. It returns
// the context's error if the context ends first.
//
// This system has no public call to wait for a word of shared memory: Wait
// looks at the word again and again, with sleeps that grow from 20 us to 1 ms.
// It does not see a Wake that leaves the word as it was, nor a value that came
// and went between two looks.
func (m *Memory) Wait(ctx context.Context, i int, v int64) error {
	for d := 20 * time.Microsecond; ; d = min(2*d, time.Millisecond) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if int32(m.AtomicLoad(i)) != int32(v) {
			return nil
		}
		time.Sleep(d)
	}
}

// Wake is where Linux wakes the waiters; here they look for themselves. It
// returns 0, since nobody counts them.
func (m *Memory) Wake(i, n int) (int, error) {
	m.at(i)
	return 0, nil
}
