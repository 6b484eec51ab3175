package shm_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/tree/watch"
	"prokata/checker/shm"
)

func init() {
	reexec.Register("shm-waiter", waiter)
}

// newMemory maps n words of a new file, which it returns too.
func newMemory(t testing.TB, n int) (*shm.Memory, *os.File) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "memory"))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(int64(n)*shm.WordSize))
	m, err := shm.Map(f, n)
	require.NoError(t, err)
	t.Cleanup(func() {
		f.Close()
		if m.Len() > 0 {
			require.NoError(t, m.Unmap())
		}
	})
	return m, f
}

// inBoth runs f outside of a check and inside of one.
func inBoth(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Run("unwatched", func(t *testing.T) {
		t.Setenv(watch.Env, "")
		f(t)
	})
	t.Run("watched", func(t *testing.T) {
		t.Setenv(watch.Env, t.TempDir())
		f(t)
	})
}

func TestWords(t *testing.T) {
	inBoth(t, func(t *testing.T) {
		m, f := newMemory(t, 4)
		again, err := shm.Map(f, 2)
		require.NoError(t, err)

		require.Equal(t, 4, m.Len())
		assert.Zero(t, m.Load(1))
		m.Store(1, -5)
		assert.EqualValues(t, -5, again.Load(1), "two mappings of one file did not share a word")
		again.AtomicStore(1, 1<<40)
		assert.EqualValues(t, 1<<40, m.AtomicLoad(1))
		assert.EqualValues(t, 1<<40+2, m.Add(1, 2))
		assert.False(t, m.CompareAndSwap(1, 7, 8))
		assert.True(t, m.CompareAndSwap(1, 1<<40+2, 8))
		assert.EqualValues(t, 8, m.Swap(1, 9))
		assert.EqualValues(t, 9, m.Load(1))
		assert.Zero(t, m.Load(0)+m.Load(2)+m.Load(3), "a neighbour changed")

		require.NoError(t, again.Unmap())
		assert.Zero(t, again.Len())
		assert.ErrorContains(t, again.Unmap(), "not mapped")
	})
}

func TestWrongIndex(t *testing.T) {
	inBoth(t, func(t *testing.T) {
		m, f := newMemory(t, 4)
		for name, access := range map[string]func(i int){
			"Load":           func(i int) { m.Load(i) },
			"Store":          func(i int) { m.Store(i, 1) },
			"AtomicLoad":     func(i int) { m.AtomicLoad(i) },
			"AtomicStore":    func(i int) { m.AtomicStore(i, 1) },
			"Add":            func(i int) { m.Add(i, 1) },
			"Swap":           func(i int) { m.Swap(i, 1) },
			"CompareAndSwap": func(i int) { m.CompareAndSwap(i, 0, 1) },
			"Wait":           func(i int) { m.Wait(t.Context(), i, 0) },
			"Wake":           func(i int) { m.Wake(i, 1) },
		} {
			assert.PanicsWithValue(t, "shm: word 4 is outside of "+f.Name()+", which has words 0 to 3", func() { access(4) }, name)
			assert.PanicsWithValue(t, "shm: word -1 is outside of "+f.Name()+", which has words 0 to 3", func() { access(-1) }, name)
		}
		require.NoError(t, m.Unmap())
		assert.PanicsWithValue(t, "shm: word 0 of "+f.Name()+" was used after Unmap", func() { m.Load(0) })
	})
}

func TestMapRefuses(t *testing.T) {
	_, f := newMemory(t, 4)
	_, err := shm.Map(f, 5)
	require.ErrorIs(t, err, shm.ErrSize)
	assert.ErrorContains(t, err, "5 words need 40 bytes, it has 32")
	_, err = shm.Map(f, 0)
	require.ErrorContains(t, err, "0 words: need at least 1")
	_, err = shm.Map(f, 1<<62)
	require.ErrorContains(t, err, "at most")
	require.NoError(t, f.Close())
	_, err = shm.Map(f, 4)
	require.ErrorContains(t, err, "use of closed file")
}

// waiter is a process that waits until word 0 is no longer 0, then adds 1 to
// word 1.
func waiter() {
	m, err := shm.Map(os.NewFile(3, "memory"), 2)
	must(err)
	for m.AtomicLoad(0) == 0 {
		must(m.Wait(context.Background(), 0, 0))
	}
	m.Add(1, 1)
	must(m.Unmap())
}

func TestWakeAcrossProcesses(t *testing.T) {
	m, f := newMemory(t, 2)
	cmd := reexec.Command("shm-waiter")
	cmd.ExtraFiles = []*os.File{f}
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	m.AtomicStore(0, 1)
	_, err := m.Wake(0, 1)
	require.NoError(t, err)
	require.NoError(t, cmd.Wait())
	assert.EqualValues(t, 1, m.AtomicLoad(1))
}

func TestWaitReturns(t *testing.T) {
	m, _ := newMemory(t, 2)
	require.NoError(t, m.Wait(t.Context(), 0, 1), "the word held something else")
	m.AtomicStore(1, 1<<40|5)
	require.NoError(t, m.Wait(t.Context(), 1, 1<<40|6), "the lower half held something else")

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, m.Wait(ended, 0, 0), context.Canceled)

	// The cancel comes at any moment before, in or after the system call.
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		began := make(chan struct{})
		go func() { <-began; cancel() }()
		close(began)
		for {
			if err := m.Wait(ctx, 0, 0); err != nil {
				require.ErrorIs(t, err, context.Canceled)
				break
			}
		}
	}
}

// TestNoWakeIsLost hands permits one by one to waiters of which some give up:
// each Wake must reach one that stays.
func TestNoWakeIsLost(t *testing.T) {
	m, _ := newMemory(t, 1)
	take := func(ctx context.Context) error {
		for {
			v := m.AtomicLoad(0)
			if v > 0 {
				if m.CompareAndSwap(0, v, v-1) {
					return nil
				}
				continue
			}
			if err := m.Wait(ctx, 0, 0); err != nil {
				return err
			}
		}
	}
	const rounds = 500
	var stay sync.WaitGroup
	stay.Go(func() {
		for range rounds {
			must(take(context.Background()))
		}
	})
	for range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		var leaver sync.WaitGroup
		leaver.Go(func() {
			if take(ctx) == nil {
				m.Add(0, 1) // not for this one
				_, err := m.Wake(0, 1)
				must(err)
			}
		})
		m.Add(0, 1)
		_, err := m.Wake(0, 1)
		require.NoError(t, err)
		cancel()
		leaver.Wait()
	}
	stay.Wait()
	assert.Zero(t, m.AtomicLoad(0))
}
