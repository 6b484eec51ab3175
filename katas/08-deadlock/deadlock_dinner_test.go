package deadlock_test

import (
	"context"
	"io"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	deadlock "prokata/katas/08-deadlock"
)

// dinnerOf lets five philosophers dine and asserts that each fork was in one hand
// at a time, and locked, and that everybody ate.
func dinnerOf(t *testing.T, manner deadlock.Manner, meals int) {
	t.Helper()
	table := deadlock.Table{Dir: t.TempDir(), Seats: 5, Meals: meals, Manner: manner, Habit: "test-witnessed"}
	r := newRecord(t, table.Dir, table.Seats)
	dinner, err := deadlock.Dine(context.Background(), table)
	require.NoError(t, err, "Dine failed")
	want := deadlock.Dinner{Meals: all(5, meals)}
	assert.Empty(t, cmp.Diff(want, dinner), "not every philosopher ate all meals (-want +got)")
	assert.Zero(t, r.count(shared), "philosophers ate with a fork that another one was eating with")
	assert.Zero(t, r.count(unlocked), "forks were free for anybody while a philosopher ate with them")
}

// eatTogether asserts that two philosophers are seen to eat at one moment.
func eatTogether(t *testing.T, manner deadlock.Manner) {
	t.Helper()
	table := deadlock.Table{Dir: t.TempDir(), Seats: 5, Meals: 40, Manner: manner, Habit: "test-slow"}
	r := newRecord(t, table.Dir, table.Seats)
	dinner, err := deadlock.Dine(context.Background(), table)
	require.NoError(t, err, "Dine failed")
	assert.Equal(t, all(5, 40), dinner.Meals, "not every philosopher ate all meals")
	assert.GreaterOrEqual(t, r.count(together), int64(2), "no two philosophers ever ate at the same time")
}

// leftFirst asserts that the philosopher whose right fork is the lower one takes the left
// one first.
func leftFirst(t *testing.T, manner deadlock.Manner) {
	t.Helper()
	dir := t.TempDir()
	d := direct(t, 5, 1, deadlock.Thinking, deadlock.Reaching)
	d.serve(deadlock.Table{Dir: dir, Seats: 5, Meals: 1, Manner: manner})
	d.hearAll(5, deadlock.Thinking)
	d.let(4)
	d.hearAll(1, deadlock.Reaching)
	assert.True(t, isHeld(t, deadlock.LockPath(dir, 4)), "philosopher 4 reached for its second fork, and did not have the left one")
	assert.False(t, isHeld(t, deadlock.LockPath(dir, 0)), "philosopher 4 took its right fork first")
	d.free(0, 1, 2, 3, 4)
	dinner, err := d.wait()
	require.NoError(t, err, "Dine failed")
	assert.Empty(t, cmp.Diff(deadlock.Dinner{Meals: all(5, 1)}, dinner), "not every philosopher ate (-want +got)")
}

// The order of two locks does not depend on who asks.
func TestInOrder(t *testing.T) {
	harness.Test(t)
	dir := t.TempDir()
	low, high := openLock(t, deadlock.LockPath(dir, 9)), openLock(t, deadlock.LockPath(dir, 10))
	for _, pair := range [][2]*deadlock.Lock{{low, high}, {high, low}} {
		first, second := deadlock.InOrder(pair[0], pair[1])
		require.NotNil(t, first, "InOrder returned no first lock")
		require.NotNil(t, second, "InOrder returned no second lock")
		assert.Same(t, low, first, "InOrder returned the lock with the higher number first")
		assert.Same(t, high, second, "InOrder returned the lock with the lower number second")
	}
}

// Dining philosophers who take their forks in an order.
func TestOrderedDinner(t *testing.T) {
	harness.Test(t)
	dinnerOf(t, deadlock.Ordered, 200)
}

// All that can go wrong at an ordered table is brought about: everybody who can
// has a fork in hand before anybody goes on to the second.
func TestOrderBreaksTheCircle(t *testing.T) {
	harness.Test(t)
	dir := t.TempDir()
	d := direct(t, 5, 1, deadlock.Thinking, deadlock.Reaching)
	d.serve(deadlock.Table{Dir: dir, Seats: 5, Meals: 3, Manner: deadlock.Ordered})
	d.hearAll(5, deadlock.Thinking)
	for _, seat := range []int{4, 1, 2, 3} { // 4 takes fork 0, the others take their own
		d.let(seat)
		d.hearAll(1, deadlock.Reaching)
	}
	d.let(0) // finds fork 0 taken
	for fork := range 4 {
		untilHeld(t, deadlock.LockPath(dir, fork))
	}
	d.let(0, 1, 2, 3, 4)
	dinner, err := d.wait()
	require.NoError(t, err, "Dine failed")
	assert.Empty(t, cmp.Diff(deadlock.Dinner{Meals: all(5, 3)}, dinner), "not every philosopher ate all meals (-want +got)")
}

// Philosophers who share no fork can eat at the same time.
func TestOthersEatTogether(t *testing.T) {
	harness.Test(t)
	eatTogether(t, deadlock.Ordered)
}

// A semaphore has as many permits as it was made with, neither more nor fewer.
func TestSemaphoreAdmits(t *testing.T) {
	harness.Test(t)
	for _, permits := range []int{1, 3, deadlock.MaxPermits} {
		s, err := deadlock.NewSemaphore(permits)
		require.NoError(t, err, "NewSemaphore failed")
		require.NoError(t, s.Acquire(), "Acquire failed")
		require.NoError(t, s.Release(), "Release failed")
		_, w := s.Files()
		require.NoError(t, w.Close(), "the test could not close the writing end of a semaphore") // nobody can release any more: what is there now is all
		for i := range permits {
			require.NoError(t, s.Acquire(), "a semaphore of %d refused permit %d", permits, i+1)
		}
		assert.ErrorIs(t, s.Acquire(), io.EOF, "a semaphore of %d admitted one more, or hid that nobody could release any", permits)
		s.Close()
		assert.Error(t, s.Release(), "Release succeeded of a semaphore that was closed")
		assert.Error(t, s.Acquire(), "Acquire succeeded of a semaphore that was closed")
	}
	for _, permits := range []int{0, -1, deadlock.MaxPermits + 1} {
		s, err := deadlock.NewSemaphore(permits)
		if !assert.Error(t, err, "NewSemaphore made one of %d permits", permits) {
			s.Close()
		}
	}
}

// A permit goes from process to process.
func TestSemaphoreBetweenProcesses(t *testing.T) {
	harness.Test(t)
	s, err := deadlock.NewSemaphore(2)
	require.NoError(t, err, "NewSemaphore failed")
	defer s.Close()
	r, w := s.Files()
	var children []*child
	for range 3 {
		children = append(children, startChild(t, []*os.File{r, w}, "test-permit-holder"))
	}
	children[0].tell()
	children[0].hear("acquired a permit")
	children[1].tell()
	children[1].hear("acquired a permit")
	children[2].tell() // waits for the next one
	children[1].tell()
	children[1].hear("released its permit")
	children[2].hear("acquired a permit")
	children[0].tell()
	children[0].hear("released its permit")
	require.NoError(t, s.Acquire(), "the test's own process could not acquire what a child had released")
}

// Whoever is admitted takes the left fork first, also where it has the higher number.
func TestAdmittedLeftForkFirst(t *testing.T) {
	harness.Test(t)
	leftFirst(t, deadlock.Admitted)
}

// Dining philosophers with a waiter who leaves one of them out.
func TestAdmittedDinner(t *testing.T) {
	harness.Test(t)
	dinnerOf(t, deadlock.Admitted, 200)
}

// The same at a table with a waiter: four have their left forks, and the fifth
// must not get one.
func TestWaiterBreaksTheCircle(t *testing.T) {
	harness.Test(t)
	dir := t.TempDir()
	d := direct(t, 5, 1, deadlock.Thinking, deadlock.Reaching)
	d.serve(deadlock.Table{Dir: dir, Seats: 5, Meals: 3, Manner: deadlock.Admitted})
	d.hearAll(5, deadlock.Thinking)
	d.let(0, 1, 2, 3)
	d.hearAll(4, deadlock.Reaching)
	for fork := range 4 {
		assert.True(t, isHeld(t, deadlock.LockPath(dir, fork)), "philosopher %d was about to take its right fork, and did not have the left one", fork)
	}
	d.let(4)
	// Whether the fifth waits or is merely slow, nobody can see from here. It gets
	// a while to make its mistake; if it needs longer, this test finds nothing.
	for i := 0; i < 100 && !isHeld(t, deadlock.LockPath(dir, 4)); i++ {
		time.Sleep(time.Millisecond)
	}
	d.let(0, 1, 2, 3, 4)
	dinner, err := d.wait()
	require.NoError(t, err, "Dine failed")
	assert.Empty(t, cmp.Diff(deadlock.Dinner{Meals: all(5, 3)}, dinner), "not every philosopher ate all meals (-want +got)")
}

// The waiter keeps one of them from the table, and not more.
func TestAdmittedEatTogether(t *testing.T) {
	harness.Test(t)
	eatTogether(t, deadlock.Admitted)
}
