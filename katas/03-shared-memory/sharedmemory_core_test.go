package sharedmemory_test

import (
	"context"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	sharedmemory "prokata/katas/03-shared-memory"
)

func TestFill(t *testing.T) {
	harness.Test(t)
	want := make([]int64, 50)
	for i := range want {
		want[i] = int64(i * i)
	}
	for _, processes := range []int{1, 3} {
		got, err := sharedmemory.Fill(context.Background(), processes, len(want))
		require.NoError(t, err, "Fill returned an error, though no child had failed")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d processes did not fill the array with squares (-want +got):\n%s", processes, diff)
		}
	}
	got, err := sharedmemory.Fill(context.Background(), 4, 2)
	require.NoError(t, err, "Fill returned an error, though there were only more processes than elements")
	assert.Equal(t, []int64{0, 1}, got, "4 processes did not fill an array of 2 elements with squares")
}

func TestChildWritesParentReads(t *testing.T) {
	harness.Test(t)
	s := create(t, 3)
	v := value(t, s, 1)
	child := startPuppet(t, s)

	require.Equal(t, "3", child.ask("len"), "the child saw another number of numbers")
	require.Equal(t, "ok", child.ask("set", 1, 42), "a child could not set a number")
	assert.EqualValues(t, 42, v.Get(), "the child's write was not seen by the parent")
	v.Set(-7)
	assert.Equal(t, "-7", child.ask("get", 1), "the parent's write was not seen by the child")
	require.Equal(t, "ok", child.ask("set", 1, 43), "a child could not set a number")
	child.end()
	assert.EqualValues(t, 43, v.Get(), "the child's write was gone after its end")
	assert.Zero(t, value(t, s, 0).Get()+value(t, s, 2).Get(), "a neighbour of the number changed")
}

func TestSiblingsShare(t *testing.T) {
	harness.Test(t)
	s := create(t, 2)
	one, two := startPuppet(t, s), startPuppet(t, s)
	for i, x := range []int64{5, math.MaxInt64, math.MinInt64, 0} {
		require.Equal(t, "ok", one.ask("set", i%2, x), "a child could not set a number")
		require.Equal(t, word64(x), two.ask("get", i%2), "a child's write was not seen by its sibling")
	}
	one.end()
	two.end()
}

func TestSegmentsAreApart(t *testing.T) {
	harness.Test(t)
	a, b := create(t, 1), create(t, 1)
	child := startPuppet(t, b)
	require.Equal(t, "ok", child.ask("set", 0, 2), "a child could not set a number")
	require.Zero(t, value(t, a, 0).Get(), "two segments shared their numbers")
	child.end()
}

func TestZeroedAtCreation(t *testing.T) {
	harness.Test(t)
	// Twice, since the second one may get what the first one gave back.
	for range 2 {
		s, err := sharedmemory.Create(5000)
		require.NoError(t, err, "Create returned an error")
		a, err := s.Array(0, 5000)
		if err != nil {
			s.Close()
		}
		require.NoError(t, err, "Array of all numbers returned an error")
		diff := cmp.Diff(make([]int64, 5000), a.Values())
		for i := range 5000 {
			assert.NoError(t, a.Set(i, int64(-1-i)), "Set of an element returned an error")
		}
		require.NoError(t, s.Close(), "Close returned an error")
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
	require.Equal(t, 6, a.Len(), "an array of 6 numbers had another length")
	x, err := a.Get(0)
	require.NoError(t, err, "Get of an element returned an error")
	assert.EqualValues(t, 102, x, "element 0 of the array from number 2 on was another one")
	x, err = a.Get(5)
	require.NoError(t, err, "Get of an element returned an error")
	assert.EqualValues(t, 107, x, "element 5 of the array from number 2 on was another one")
	require.NoError(t, a.Set(0, -2), "Set of an element returned an error")
	assert.EqualValues(t, -2, value(t, s, 2).Get(), "Set did not reach the segment")

	part, err := a.Slice(1, 4)
	require.NoError(t, err, "Slice returned an error")
	require.Equal(t, 3, part.Len(), "a slice of 3 elements had another length")
	assert.Equal(t, []int64{103, 104, 105}, part.Values(), "a slice held other elements")
	require.NoError(t, part.Set(2, -5), "Set of an element of a slice returned an error")
	x, err = a.Get(3)
	require.NoError(t, err, "Get of an element returned an error")
	assert.EqualValues(t, -5, x, "a slice was a copy")

	deep, err := part.Slice(1, 3)
	require.NoError(t, err, "Slice of a slice returned an error")
	assert.Equal(t, []int64{104, -5}, deep.Values(), "a slice of a slice held other elements")

	values := a.Values()
	values[0] = 1
	assert.Equal(t, []int64{-2, 103, 104, -5, 106, 107}, a.Values(), "Values was no copy")

	none, err := a.Slice(6, 6)
	require.NoError(t, err, "Slice of no elements, at the end, returned an error")
	assert.Empty(t, none.Values(), "a slice of no elements held some")
	assert.Equal(t, 10, array(t, s, 0, 10).Len(), "an array of all numbers had another length")
	assert.Equal(t, 10, s.Len(), "a segment of 10 numbers had another length")
}

// What would be left in the temp folder or in /dev/shm is found by the harness.
func TestNothingLeftAfterKill(t *testing.T) {
	harness.Test(t)
	child := startPuppet(t, nil)
	require.Equal(t, "ok", child.ask("create", 100), "Create of a child returned an error")
	child.kill()
	user := startPuppet(t, create(t, 100))
	user.kill()
}

func TestSegmentOutlivesCreator(t *testing.T) {
	harness.Test(t)
	s, err := sharedmemory.Create(1)
	require.NoError(t, err, "Create returned an error")
	one, two := startPuppet(t, s), startPuppet(t, s)
	require.NoError(t, s.Close(), "Close returned an error")
	require.Equal(t, "ok", one.ask("set", 0, 9), "a child could not set a number after the segment's creator had closed it")
	require.Equal(t, "9", two.ask("get", 0), "the segment was gone with its creator")
	one.end()
	two.end()
}

func TestIndexOutOfRange(t *testing.T) {
	harness.Test(t)
	s := create(t, 4)
	a := array(t, s, 1, 2)
	second := func(_ any, err error) error { return err }
	for _, c := range []struct {
		name string
		err  error
	}{
		{"Create(0)", second(sharedmemory.Create(0))},
		{"Create(-1)", second(sharedmemory.Create(-1))},
		{"Value(-1)", second(s.Value(-1))},
		{"Value(4)", second(s.Value(4))},
		{"Array(-1, 2)", second(s.Array(-1, 2))},
		{"Array(3, 2)", second(s.Array(3, 2))},
		{"Array(0, -1)", second(s.Array(0, -1))},
		{"Array(5, 0)", second(s.Array(5, 0))},
		{"Array(1, MaxInt)", second(s.Array(1, math.MaxInt))},
		{"Array(MaxInt, 1)", second(s.Array(math.MaxInt, 1))},
		{"array.Get(-1)", second(a.Get(-1))},
		{"array.Get(2)", second(a.Get(2))}, // there is a number, but not the array's
		{"array.Set(-1, 1)", a.Set(-1, 1)},
		{"array.Set(2, 1)", a.Set(2, 1)},
		{"array.Slice(-1, 1)", second(a.Slice(-1, 1))},
		{"array.Slice(0, 3)", second(a.Slice(0, 3))},
		{"array.Slice(2, 1)", second(a.Slice(2, 1))},
		{"array.Slice(3, 3)", second(a.Slice(3, 3))},
		{"array.Slice(MinInt,)", second(a.Slice(math.MinInt, 1))},
	} {
		assert.ErrorIs(t, c.err, sharedmemory.ErrRange, "%s of a segment of 4, or an array of 2, numbers did not return ErrRange", c.name)
	}
	assert.Equal(t, []int64{0, 0, 0, 0}, array(t, s, 0, 4).Values(), "an access out of range changed a number")
}

func TestOneChildCounts(t *testing.T) {
	harness.Test(t)
	for _, way := range []sharedmemory.Way{sharedmemory.Unlocked, sharedmemory.Atomic} {
		n, err := sharedmemory.Count(context.Background(), way, 1, 1000)
		require.NoError(t, err, "Count returned an error, though no child had failed")
		require.EqualValues(t, 1000, n, "one process alone (%s) incremented the number 1,000 times, and it held another number", way)
	}
}

func TestAddReturnsNewNumber(t *testing.T) {
	harness.Test(t)
	s := create(t, 2)
	v := value(t, s, 1)
	assert.EqualValues(t, 5, v.Add(5), "Add did not return the new number")
	assert.EqualValues(t, 3, v.Add(-2), "Add did not return the new number")
	assert.EqualValues(t, 3, v.Get(), "Get did not return what Add had made of the number")
}

// The fix: the harness watches as closely, and sees nothing.
func TestAtomicCount(t *testing.T) {
	harness.Test(t)
	for range 3 {
		n, err := sharedmemory.Count(context.Background(), sharedmemory.Atomic, 4, 1000)
		require.NoError(t, err, "Count returned an error, though no child had failed")
		require.EqualValues(t, 4000, n, "4 processes incremented the number 1,000 times each in one step, and increments were lost or doubled")
	}
}
