package sharedmemory_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	sharedmemory "prokata/katas/03-shared-memory"
)

func TestChildWritesParentReads(t *testing.T) {
	harness.Test(t)
	s := create(t, 3)
	v := value(t, s, 1)
	child := startPuppet(t, s)

	require.Equal(t, "3", child.ask("len"), "the child saw another number of numbers")
	require.Equal(t, "ok", child.ask("set", 1, 42))
	assert.EqualValues(t, 42, v.Get(), "the child's write was not seen by the parent")
	v.Set(-7)
	assert.Equal(t, "-7", child.ask("get", 1), "the parent's write was not seen by the child")
	require.Equal(t, "ok", child.ask("set", 1, 43))
	child.end()
	assert.EqualValues(t, 43, v.Get(), "the child's write was gone after its end")
	assert.Zero(t, value(t, s, 0).Get()+value(t, s, 2).Get(), "a neighbour of the number changed")
}

func TestSiblingsShare(t *testing.T) {
	harness.Test(t)
	s := create(t, 2)
	one, two := startPuppet(t, s), startPuppet(t, s)
	for i, x := range []int64{5, math.MaxInt64, math.MinInt64, 0} {
		require.Equal(t, "ok", one.ask("set", i%2, x))
		require.Equal(t, word64(x), two.ask("get", i%2), "a child's write was not seen by its sibling")
	}
	one.end()
	two.end()
}

func TestSegmentsAreApart(t *testing.T) {
	harness.Test(t)
	a, b := create(t, 1), create(t, 1)
	child := startPuppet(t, b)
	require.Equal(t, "ok", child.ask("set", 0, 2))
	require.Zero(t, value(t, a, 0).Get(), "two segments shared their numbers")
	require.NoError(t, a.Lock().TryAcquire())
	require.Equal(t, "ok", child.ask("try"), "two segments shared their lock")
	require.NoError(t, a.Lock().Release())
	require.Equal(t, "ok", child.ask("release"))
	child.end()
}

func TestZeroedAtCreation(t *testing.T) {
	harness.Test(t)
	// Twice, since the second one may get what the first one gave back.
	for range 2 {
		s, err := sharedmemory.Create(5000)
		require.NoError(t, err)
		a, err := s.Array(0, 5000)
		require.NoError(t, err)
		diff := cmp.Diff(make([]int64, 5000), a.Values())
		for i := range 5000 {
			require.NoError(t, a.Set(i, int64(-1-i)))
		}
		require.NoError(t, s.Close())
		if diff != "" {
			t.Fatalf("a new segment did not hold zeros only (-want +got):\n%s", diff)
		}
	}
}

func TestArray(t *testing.T) {
	harness.Test(t)
	s := create(t, 10)
	for i := range 10 {
		value(t, s, i).Set(int64(100 + i))
	}

	a := array(t, s, 2, 6)
	require.Equal(t, 6, a.Len())
	x, err := a.Get(0)
	require.NoError(t, err)
	assert.EqualValues(t, 102, x, "element 0 of the array from number 2 on was another one")
	x, err = a.Get(5)
	require.NoError(t, err)
	assert.EqualValues(t, 107, x, "element 5 of the array from number 2 on was another one")
	require.NoError(t, a.Set(0, -2))
	assert.EqualValues(t, -2, value(t, s, 2).Get(), "Set did not reach the segment")

	part, err := a.Slice(1, 4)
	require.NoError(t, err)
	require.Equal(t, 3, part.Len())
	assert.Equal(t, []int64{103, 104, 105}, part.Values())
	require.NoError(t, part.Set(2, -5))
	x, err = a.Get(3)
	require.NoError(t, err)
	assert.EqualValues(t, -5, x, "a slice was a copy")

	deep, err := part.Slice(1, 3)
	require.NoError(t, err)
	assert.Equal(t, []int64{104, -5}, deep.Values(), "a slice of a slice held other elements")

	values := a.Values()
	values[0] = 1
	assert.Equal(t, []int64{-2, 103, 104, -5, 106, 107}, a.Values(), "Values was no copy")

	none, err := a.Slice(6, 6)
	require.NoError(t, err)
	assert.Empty(t, none.Values())
	assert.Equal(t, 10, array(t, s, 0, 10).Len())
	assert.Equal(t, 10, s.Len())
}

func TestIndexOutOfRange(t *testing.T) {
	harness.Test(t)
	s := create(t, 4)
	a := array(t, s, 1, 2)
	second := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"Create(0)":            second(sharedmemory.Create(0)),
		"Create(-1)":           second(sharedmemory.Create(-1)),
		"Value(-1)":            second(s.Value(-1)),
		"Value(4)":             second(s.Value(4)),
		"Array(-1, 2)":         second(s.Array(-1, 2)),
		"Array(3, 2)":          second(s.Array(3, 2)),
		"Array(0, -1)":         second(s.Array(0, -1)),
		"Array(5, 0)":          second(s.Array(5, 0)),
		"Array(1, MaxInt)":     second(s.Array(1, math.MaxInt)),
		"Array(MaxInt, 1)":     second(s.Array(math.MaxInt, 1)),
		"array.Get(-1)":        second(a.Get(-1)),
		"array.Get(2)":         second(a.Get(2)), // there is a number, but not the array's
		"array.Set(-1, 1)":     a.Set(-1, 1),
		"array.Set(2, 1)":      a.Set(2, 1),
		"array.Slice(-1, 1)":   second(a.Slice(-1, 1)),
		"array.Slice(0, 3)":    second(a.Slice(0, 3)),
		"array.Slice(2, 1)":    second(a.Slice(2, 1)),
		"array.Slice(3, 3)":    second(a.Slice(3, 3)),
		"array.Slice(MinInt,)": second(a.Slice(math.MinInt, 1)),
	} {
		assert.ErrorIs(t, err, sharedmemory.ErrRange, "%s of a segment of 4, or an array of 2, numbers", name)
	}
	assert.Equal(t, []int64{0, 0, 0, 0}, array(t, s, 0, 4).Values(), "an access out of range changed a number")
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
		require.NoError(t, os.WriteFile(path, make([]byte, test.size), 0o600))
		f, err := os.OpenFile(path, test.flag, 0)
		require.NoError(t, err)
		s, err := sharedmemory.Open(f)
		assert.Error(t, err, "Open took %s", test.what)
		assert.Nil(t, s, "Open returned an error and a segment")
		assert.ErrorIs(t, f.Close(), os.ErrClosed, "Open refused %s and left it open", test.what)
		_, err = sharedmemory.Open(f)
		assert.Error(t, err, "Open took a file that was closed")
	}
}

func TestLockExcludes(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	one, two := startPuppet(t, s), startPuppet(t, s)
	lock := s.Lock()

	require.NoError(t, lock.Acquire(context.Background()))
	require.Equal(t, "locked", one.ask("try"), "a child got the lock that its parent held")
	require.NoError(t, lock.Release())

	require.NoError(t, lock.TryAcquire(), "the lock was free")
	require.Equal(t, "locked", one.ask("try"), "a child got the lock that its parent held")
	require.NoError(t, lock.Release())

	require.Equal(t, "ok", one.ask("acquire"))
	require.ErrorIs(t, lock.TryAcquire(), sharedmemory.ErrLocked, "the parent got the lock that a child held")
	require.Equal(t, "locked", two.ask("try"), "a child got the lock that its sibling held")

	// Whoever waits gets it in the end.
	two.tell("acquire")
	require.Equal(t, "ok", one.ask("release"))
	require.Equal(t, "ok", two.answer())
	require.Equal(t, "locked", one.ask("try"), "a child got the lock that its sibling held")
	require.Equal(t, "ok", two.ask("release"))
	require.NoError(t, lock.TryAcquire(), "the lock was free")
	require.NoError(t, lock.Release())
	one.end()
	two.end()
}

func TestLockExcludesGoroutines(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	lock := s.Lock()
	require.NoError(t, lock.Acquire(context.Background()))
	require.ErrorIs(t, lock.TryAcquire(), sharedmemory.ErrLocked, "a second goroutine of the process got the lock")
	got := make(chan error)
	go func() { got <- lock.Acquire(context.Background()) }()
	require.NoError(t, lock.Release())
	require.NoError(t, <-got)
	require.ErrorIs(t, s.Lock().TryAcquire(), sharedmemory.ErrLocked, "a second call of Segment.Lock returned another lock")
	require.NoError(t, lock.Release())
}

func TestLockedCount(t *testing.T) {
	harness.Test(t)
	// More than once: chance may be kind to a lock that does not lock.
	for range 3 {
		n, err := sharedmemory.Count(context.Background(), sharedmemory.Locked, 4, 1000)
		require.NoError(t, err)
		require.EqualValues(t, 4000, n, "4 processes incremented 1,000 times each with the lock held")
	}
}

func TestFill(t *testing.T) {
	harness.Test(t)
	want := make([]int64, 50)
	for i := range want {
		want[i] = int64(i * i)
	}
	for _, processes := range []int{1, 3} {
		got, err := sharedmemory.Fill(context.Background(), processes, len(want))
		require.NoError(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d processes did not fill the array with squares (-want +got):\n%s", processes, diff)
		}
	}
	got, err := sharedmemory.Fill(context.Background(), 4, 2)
	require.NoError(t, err, "there were more processes than elements")
	assert.Equal(t, []int64{0, 1}, got)
}
