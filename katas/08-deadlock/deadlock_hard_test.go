package deadlock_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	deadlock "prokata/katas/08-deadlock"
)

// A lock whose holder was killed is free.
func TestLockOfTheDead(t *testing.T) {
	harness.Test(t)
	path := deadlock.LockPath(t.TempDir(), 0)
	l := openLock(t, path)
	c := startChild(t, nil, "test-lock-holder", path)
	c.tell()
	c.hear("acquired the lock")
	require.True(t, isHeld(t, path), "nobody held the lock that a child process had acquired")
	require.NoError(t, c.cmd.Process.Kill(), "the test could not send a signal: the process had ended too early")
	require.NoError(t, l.Acquire(), "the lock of a killed process could not be had")
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

// A meal that goes wrong costs nobody a fork or a permit.
func TestSpoiltMeals(t *testing.T) {
	harness.Test(t)
	for _, m := range manners {
		t.Run(m.name, func(t *testing.T) {
			table := deadlock.Table{Dir: t.TempDir(), Seats: 5, Meals: 6, Manner: m.manner, Habit: "test-clumsy"}
			dinner, err := deadlock.Dine(context.Background(), table)
			require.ErrorContains(t, err, "dropped the napkin", "Dine did not tell the error of the habit")
			for seat := range 5 {
				for meal := range 3 {
					assert.True(t, names(err, seat, meal), "the error did not name seat %d and meal %d, in whatever words, in one line", seat, meal)
				}
			}
			assert.Empty(t, cmp.Diff(deadlock.Dinner{Meals: all(5, 3)}, dinner), "Dine counted meals wrongly, of which three of six were spoilt for each philosopher (-want +got)")
		})
	}
}

// A habit that ends its goroutine, as t.FailNow does, spoils a meal like any other.
func TestHabitEndsItsGoroutine(t *testing.T) {
	harness.Test(t)
	for _, m := range manners {
		t.Run(m.name, func(t *testing.T) {
			dinner, err := deadlock.Dine(context.Background(), deadlock.Table{Dir: t.TempDir(), Seats: 3, Meals: 3, Manner: m.manner, Habit: "test-quitter"})
			require.Error(t, err, "Dine told of no error though every philosopher's habit had ended its goroutine")
			assert.Empty(t, cmp.Diff(deadlock.Dinner{Meals: all(3, 2)}, dinner), "the philosophers did not go on with their next meal (-want +got)")
		})
	}
}

// A philosopher is killed with one fork in hand, another with both: the others go
// on, and what was lost is told.
func TestKilledWithForkInHand(t *testing.T) {
	harness.Test(t)
	for _, m := range manners {
		t.Run(m.name, func(t *testing.T) {
			d := direct(t, 5, 1, deadlock.Thinking, deadlock.Reaching, deadlock.Eating)
			dir := t.TempDir()
			d.serve(deadlock.Table{Dir: dir, Seats: 5, Meals: 4, Manner: m.manner})
			d.hearAll(5, deadlock.Thinking)
			for fork := range 5 {
				require.False(t, isHeld(t, deadlock.LockPath(dir, fork)), "fork %d was taken though everybody was thinking", fork)
			}
			d.let(0)
			reaching := d.hearAll(1, deadlock.Reaching)[0]
			require.True(t, isHeld(t, deadlock.LockPath(dir, 0)), "philosopher 0 was about to take its second fork, and did not have the left one, which is the lower one too")
			require.False(t, isHeld(t, deadlock.LockPath(dir, 1)), "philosopher 0 had its right fork before it told its habit that it reached for it")
			d.kill(reaching)
			d.let(2)
			d.hearAll(1, deadlock.Reaching)
			d.let(2)
			d.kill(d.hearAll(1, deadlock.Eating)[2])
			d.free(1, 3, 4) // their neighbours
			dinner, err := d.wait()
			require.Error(t, err, "Dine did not tell that two philosophers were killed")
			assert.True(t, names(err, 0) && names(err, 2), "the error did not name the seats of those who were killed")
			want := deadlock.Dinner{Meals: []int{0, 4, 0, 4, 4}, Lost: []int{0, 2}}
			assert.Empty(t, cmp.Diff(want, dinner), "the others did not dine on (-want +got)")
		})
	}
}

// Four of five are killed with a permit of the semaphore; the last one needs one.
func TestPermitsOfTheDead(t *testing.T) {
	harness.Test(t)
	d := direct(t, 5, 1, deadlock.Thinking, deadlock.Reaching)
	d.serve(deadlock.Table{Dir: t.TempDir(), Seats: 5, Meals: 3, Manner: deadlock.Admitted})
	d.hearAll(5, deadlock.Thinking)
	for seat := range 4 {
		d.let(seat)
	}
	for _, w := range d.hearAll(4, deadlock.Reaching) {
		d.kill(w)
	}
	d.let(4, 4)
	dinner, err := d.wait()
	require.Error(t, err, "Dine did not tell that four philosophers were killed")
	want := deadlock.Dinner{Meals: []int{0, 0, 0, 0, 3}, Lost: []int{0, 1, 2, 3}}
	assert.Empty(t, cmp.Diff(want, dinner), "the last philosopher did not dine on (-want +got)")
}

// When the context ends, so does the dinner.
func TestDineCancelled(t *testing.T) {
	harness.Test(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	table := deadlock.Table{Dir: t.TempDir(), Seats: 3, Meals: 1000, Habit: "test-witnessed"}
	_, err := deadlock.Dine(ctx, table)
	require.ErrorIs(t, err, context.Canceled, "Dine did not tell that its context had ended before")

	d := direct(t, 3, 1, deadlock.Thinking, deadlock.Eating)
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	d.serveContext(ctx, deadlock.Table{Dir: t.TempDir(), Seats: 3, Meals: 1})
	d.hearAll(3, deadlock.Thinking)
	d.let(0, 1, 2)
	w := d.hear() // one eats, the others wait for its forks
	cancel()
	_, err = d.wait()
	require.ErrorIs(t, err, context.Canceled, "Dine did not tell that its context had ended")
	assertGone(t, int(w.PID))
}

// Each step of the seating of three is refused once. Who is seated already waits
// for the test, and must be killed.
func TestDineFailsHalfWay(t *testing.T) {
	harness.Test(t)
	_, err := deadlock.Dine(context.Background(), deadlock.Table{Dir: t.TempDir(), Seats: 2, Meals: 1, Habit: "test-witnessed"})
	require.NoError(t, err, "Dine failed")
	for room := range 100 {
		var dinner deadlock.Dinner
		var err error
		t.Run(fmt.Sprintf("room for %d", room), func(t *testing.T) {
			d := direct(t, 3, 1, deadlock.Thinking)
			var seated []word
			harness.WithFiles(t, room, func() {
				d.serve(deadlock.Table{Dir: t.TempDir(), Seats: 3, Meals: 1})
				for w := (word{}); len(seated) < 3 && binary.Read(d.said, binary.LittleEndian, &w) == nil; {
					seated = append(seated, w) // until all are, or Dine has returned
				}
			})
			if len(seated) == 3 {
				d.let(0, 1, 2)
			}
			dinner, err = d.wait()
			for _, w := range seated {
				assertGone(t, int(w.PID))
			}
		})
		if err == nil {
			assert.Empty(t, cmp.Diff(deadlock.Dinner{Meals: all(3, 1)}, dinner), "not every philosopher ate (-want +got)")
			require.Positive(t, room, "a table was laid without a single descriptor")
			return
		}
	}
	t.Error("Dine needed more than 100 descriptors for three philosophers")
}
