package sharedmemory_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	sharedmemory "prokata/katas/03-shared-memory"
)

func TestCountCancelled(t *testing.T) {
	harness.Test(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := sharedmemory.Count(ctx, sharedmemory.Locked, 2, 10)
	assert.ErrorIs(t, err, context.Canceled, "Count did not return the error of its context, which had been cancelled before")

	// More increments than fit into the time.
	ctx, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = sharedmemory.Count(ctx, sharedmemory.Atomic, 2, 1<<24)
	assert.ErrorIs(t, err, context.DeadlineExceeded, "Count did not return the error of its context, whose deadline had passed")
}

// The context ends when the first child is there, and others are still to come.
func TestCancelledDuringTheStart(t *testing.T) {
	harness.Test(t)
	s := newStaircase(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	counted := make(chan error, 1)
	go func() {
		_, err := sharedmemory.Count(ctx, sharedmemory.Atomic, 8, 10)
		s.nobodyElse()
		counted <- err
	}()
	s.first()
	cancel()
	err := <-counted // while those that came later cannot go on, and have to be killed
	s.letPass()
	require.ErrorIs(t, err, context.Canceled, "Count did not return the error of its context, which had been cancelled during the start")
}

func TestOpenRefuses(t *testing.T) {
	harness.Test(t)
	create(t, 1) // for the stub: Open alone would also fail as it should here
	for _, test := range []struct {
		what string
		size int64
		flag int
	}{
		{"an empty file", 0, os.O_RDWR},
		{"a file of 3 bytes", 3, os.O_RDWR},
		{"a file with room for a number, and none for a lock", 8, os.O_RDWR},
		{"a file that is not made of whole words", 8*5 + 3, os.O_RDWR},
		{"a file that is open for reading only", 8 * 5, os.O_RDONLY},
	} {
		path := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(path, make([]byte, test.size), 0o600), "the test could not write a file")
		f, err := os.OpenFile(path, test.flag, 0)
		require.NoError(t, err, "the test could not open a file")
		s, err := sharedmemory.Open(f)
		assert.Error(t, err, "Open took %s", test.what)
		if err == nil {
			s.Close()
			continue
		}
		assert.True(t, s == nil, "Open returned a segment with its error")
		assert.ErrorIs(t, f.Close(), os.ErrClosed, "Open refused %s and left it open", test.what)
		if s, err := sharedmemory.Open(f); err == nil {
			s.Close()
			t.Error("Open took a file that was closed")
		}
	}
}

func TestCountRefuses(t *testing.T) {
	harness.Test(t)
	create(t, 1)
	_, err := sharedmemory.Count(context.Background(), "wishfully", 2, 10)
	assert.Error(t, err, "Count took a way that there is not")
	for _, processes := range []int{0, -1} {
		_, err = sharedmemory.Count(context.Background(), sharedmemory.Atomic, processes, 10)
		assert.Error(t, err, "Count took %d processes", processes)
		_, err = sharedmemory.Fill(context.Background(), processes, 10)
		assert.Error(t, err, "Fill took %d processes", processes)
	}
	_, err = sharedmemory.Fill(context.Background(), 2, 0)
	assert.ErrorIs(t, err, sharedmemory.ErrRange, "Fill of no elements did not return ErrRange")
}

// What a start that failed half-way leaves is found by the harness.
func TestCreateFails(t *testing.T) {
	harness.Test(t)
	create(t, 1) // for the stub: Create alone would also fail as it should here
	// In bytes, the first would come to 16 if that number were cut to 64 bits.
	for _, n := range []int{math.MaxInt/4 + 2, math.MaxInt, math.MaxInt >> 13} {
		s, err := sharedmemory.Create(n)
		assert.Error(t, err, "Create made a segment of %d numbers", n)
		nothing(t, s, err)
	}
	harness.UntilItFits(t, func() error {
		s, err := sharedmemory.Create(1)
		if err == nil {
			return s.Close()
		}
		nothing(t, s, err)
		return err
	})
}

// nothing wants no segment with an error, and lets go of one that came without.
func nothing(t *testing.T, s *sharedmemory.Segment, err error) {
	t.Helper()
	if err == nil {
		s.Close()
		return
	}
	assert.True(t, s == nil, "Create returned a segment with its error")
}

func TestCountStartFails(t *testing.T) {
	harness.Test(t)
	for _, start := range []func() error{
		func() error {
			n, err := sharedmemory.Count(context.Background(), sharedmemory.Atomic, 2, 10)
			if err == nil {
				assert.EqualValues(t, 20, n, "Count returned no error, and not what two children count")
			}
			return err
		},
		func() error {
			squares, err := sharedmemory.Fill(context.Background(), 2, 3)
			if err == nil {
				assert.Equal(t, []int64{0, 1, 4}, squares, "Fill returned no error, and not the squares")
			}
			return err
		},
	} {
		harness.UntilItFits(t, start)
	}
}
