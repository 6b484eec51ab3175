package deadlock_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	deadlock "prokata/katas/08-deadlock"
)

// What cannot become a deadlock is an error, and leaves nothing behind.
func TestSimulationFails(t *testing.T) {
	harness.Test(t)
	sim, err := deadlock.Simulate(t.TempDir(), 2)
	require.NoError(t, err, "Simulate failed")
	sim.End()

	sim, err = deadlock.Simulate(t.TempDir(), 1)
	if !assert.Error(t, err, "Simulate made a circle of a single process") {
		sim.End()
	}

	sim, err = deadlock.Simulate(filepath.Join(t.TempDir(), "missing"), 3)
	if !assert.Error(t, err, "Simulate made locks in a folder that did not exist") {
		sim.End()
	}

	// Two of four find no lock here, and the others wait for them.
	dir := t.TempDir()
	require.NoError(t, os.Symlink(filepath.Join(dir, "missing", "lock"), deadlock.LockPath(dir, 1)), "the test could not make a symbolic link")
	sim, err = deadlock.Simulate(dir, 4)
	if !assert.Error(t, err, "Simulate told of no error though two of its processes found no lock") {
		sim.End()
	}

	// Each step of the start of two is refused once.
	dir = t.TempDir()
	refused := harness.UntilItFits(t, func() (err error) {
		if sim, err = deadlock.Simulate(dir, 2); err != nil {
			require.Nil(t, sim, "Simulate returned an error and a simulation")
		}
		return err
	})
	assert.Len(t, sim.PIDs(), 2, "Simulate returned no error and other than two processes")
	sim.End()
	require.Positive(t, refused, "processes were started without a single descriptor")
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

// A table that nobody can dine at is refused.
func TestDineRefuses(t *testing.T) {
	harness.Test(t)
	good := deadlock.Table{Dir: t.TempDir(), Seats: 2, Meals: 1, Habit: "test-witnessed"}
	_, err := deadlock.Dine(context.Background(), good)
	require.NoError(t, err, "Dine failed")
	nothing := good
	nothing.Meals = 0
	dinner, err := deadlock.Dine(context.Background(), nothing)
	require.NoError(t, err, "Dine refused a dinner without meals")
	assert.Empty(t, cmp.Diff(deadlock.Dinner{Meals: all(2, 0)}, dinner), "a dinner without meals was told otherwise (-want +got)")
	for _, row := range []struct {
		what  string
		spoil func(*deadlock.Table)
	}{
		{"one seat", func(t *deadlock.Table) { t.Seats = 1 }},
		{"less than a meal", func(t *deadlock.Table) { t.Meals = -1 }},
		{"an unknown habit", func(t *deadlock.Table) { t.Habit = "nobody's" }},
		{"no folder", func(t *deadlock.Table) { t.Dir += "/missing" }},
	} {
		bad := good
		row.spoil(&bad)
		_, err := deadlock.Dine(context.Background(), bad)
		assert.Error(t, err, "Dine accepted a table with %s", row.what)
	}
}

// A system that has no pipe left refuses a semaphore.
func TestSemaphoreRefused(t *testing.T) {
	harness.Test(t)
	var s *deadlock.Semaphore
	refused := harness.UntilItFits(t, func() (err error) {
		if s, err = deadlock.NewSemaphore(1); err != nil {
			require.Nil(t, s, "NewSemaphore returned an error and a semaphore")
		}
		return err
	})
	require.NoError(t, s.Acquire(), "Acquire failed")
	require.NoError(t, s.Close(), "Close failed")
	require.Positive(t, refused, "a semaphore was made of no file at all")
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
