package deadlock_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	deadlock "prokata/katas/08-deadlock"
)

// Who backs off takes the left fork first, too.
func TestBackOffLeftForkFirst(t *testing.T) {
	harness.Test(t)
	leftFirst(t, deadlock.BackOff)
}

// Dining philosophers who put down their fork when the other one is taken.
func TestBackOffDinner(t *testing.T) {
	harness.Test(t)
	dinnerOf(t, deadlock.BackOff, 50)
}

// Five philosophers have their left forks at one moment, and recover.
func TestBackOffRecovers(t *testing.T) {
	harness.Test(t)
	d := direct(t, 5, 1, deadlock.Reaching)
	d.serve(deadlock.Table{Dir: t.TempDir(), Seats: 5, Meals: 1, Manner: deadlock.BackOff})
	d.hearAll(5, deadlock.Reaching)
	d.free(0, 1, 2, 3, 4)
	dinner, err := d.wait()
	require.NoError(t, err, "Dine failed")
	assert.Empty(t, cmp.Diff(deadlock.Dinner{Meals: all(5, 1)}, dinner), "not every philosopher ate (-want +got)")
}

// Two philosophers whom the test keeps in step for as long as they stand back
// equally long: each takes its left fork, finds the other one taken, puts its own
// down, and so on. Chance, or any difference between them, must part them.
func TestBackOffLeavesTheStep(t *testing.T) {
	harness.Test(t)
	d := direct(t, 2, 1, deadlock.Reaching, deadlock.Refused)
	dir := t.TempDir()
	d.serve(deadlock.Table{Dir: dir, Seats: 2, Meals: 2, Manner: deadlock.BackOff})
	for inStep, rounds := true, 0; inStep; rounds++ {
		d.hearAll(2, deadlock.Reaching)
		refused := map[int]word{}
		for seat := range 2 { // the other one has its left fork, and keeps it when it is refused
			d.let(seat)
			refused[seat] = d.hearAll(1, deadlock.Refused)[seat]
			require.True(t, isHeld(t, deadlock.LockPath(dir, seat)), "philosopher %d was refused its right fork, and had put the left one down before it told its habit", seat)
		}
		inStep = refused[0].Wait == refused[1].Wait
		if !inStep || rounds == 0 {
			harness.Progress() // to begin and to part is progress; to step back again is none
		}
		if !inStep {
			d.free(0, 1)
		} else {
			d.let(0, 1)
		}
	}
	dinner, err := d.wait()
	require.NoError(t, err, "Dine failed")
	assert.Empty(t, cmp.Diff(deadlock.Dinner{Meals: all(2, 2)}, dinner), "not every philosopher ate all meals (-want +got)")
}

// A philosopher that was refused stands back with empty hands: who waits for its fork
// has it before the time is over for which it said that it would stand back. Where the
// fork comes back only then, that is so in every round, on any machine; a slow machine
// may make it look so now and then.
func TestBackOffStandsBackWithoutAFork(t *testing.T) {
	harness.Test(t)
	dir := t.TempDir()
	left, right := openLock(t, deadlock.LockPath(dir, 0)), openLock(t, deadlock.LockPath(dir, 1))
	require.NoError(t, right.Acquire(), "the lock of a fork that nobody had could not be had")
	had := make(chan time.Time, 1)
	var waits sync.WaitGroup
	t.Cleanup(waits.Wait) // with all philosophers gone, its fork is free
	waitForLeft := func() {
		waits.Go(func() {
			if left.Acquire() == nil {
				had <- time.Now()
			}
		})
	}
	d := direct(t, 2, 1, deadlock.Thinking, deadlock.Refused)
	d.serve(deadlock.Table{Dir: dir, Seats: 2, Meals: 1, Manner: deadlock.BackOff})
	d.hearAll(2, deadlock.Thinking) // one of them goes no further for now
	d.let(0)
	w := d.hearAll(1, deadlock.Refused)[0]
	waitForLeft()
	const rounds = 100
	early := false
	for round := 0; round < rounds && !early; round++ {
		began, again := time.Now(), d.listen()
		d.let(0)
		select {
		case at := <-had:
			early = w.Wait == 0 || at.Sub(began) < time.Duration(w.Wait)
			require.NoError(t, left.Release(), "a lock that was held could not be given back")
			w = d.heard(again)
			if !early {
				waitForLeft()
			}
		case heard := <-again: // refused again, and its fork was never free for us
			again <- heard
			w = d.heard(again)
		}
		harness.Progress()
	}
	require.True(t, early, "philosopher 0 was refused its right fork %d times, and kept the left one each time until it had stood back", rounds)
	require.NoError(t, right.Release(), "a lock that was held could not be given back")
	d.free(0, 1)
	dinner, err := d.wait()
	require.NoError(t, err, "Dine failed")
	assert.Empty(t, cmp.Diff(deadlock.Dinner{Meals: all(2, 1)}, dinner), "not every philosopher ate (-want +got)")
}

// Who stands back does not keep the others from eating.
func TestBackOffEatTogether(t *testing.T) {
	harness.Test(t)
	eatTogether(t, deadlock.BackOff)
}
