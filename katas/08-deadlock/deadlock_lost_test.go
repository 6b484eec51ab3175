package deadlock_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	deadlock "prokata/katas/08-deadlock"
)

var manners = []struct {
	name   string
	manner deadlock.Manner
}{
	{"ordered", deadlock.Ordered},
	{"admitted", deadlock.Admitted},
	{"back-off", deadlock.BackOff},
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
	reaching := d.hearAll(4, deadlock.Reaching)
	for _, seat := range []int{3, 2, 1, 0} { // in another order than that of the seats
		d.kill(reaching[seat])
		for i := 0; i < 100 && isThere(int(reaching[seat].PID)); i++ { // a while to notice it
			time.Sleep(time.Millisecond)
		}
	}
	d.let(4, 4)
	dinner, err := d.wait()
	require.Error(t, err, "Dine did not tell that four philosophers were killed")
	want := deadlock.Dinner{Meals: []int{0, 0, 0, 0, 3}, Lost: []int{0, 1, 2, 3}}
	assert.Empty(t, cmp.Diff(want, dinner), "the last philosopher did not dine on (-want +got)")
}
