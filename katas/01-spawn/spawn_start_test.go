package spawn_test

import (
	"errors"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	spawn "prokata/katas/01-spawn"
)

// Starts that fail, children by the dozen, an Out that fails.

func TestUnknownFunction(t *testing.T) {
	harness.Test(t)
	o := newOut()
	runAndWait(t, spawn.Group{Out: o}, spawn.Job{Func: "report"})
	exits, err := spawn.Group{Out: o}.Run(t.Context(),
		spawn.Job{Func: "report"}, spawn.Job{Func: "no such function"})
	require.Error(t, err, "Run returned no error, though nobody had registered the function that a job asked for")
	assert.Contains(t, err.Error(), "no such function", "Run's error did not name the function that nobody had registered")
	assert.Empty(t, exits, "Run started a child before it found that the function of another job was unknown")
	assert.Equal(t, 1, len(o.all()), "a child printed, though the function of another job was unknown")
}

// The system refuses in the middle: there are not enough descriptors for all
// three children. Each round allows one more than the round before, so that every
// step of a start comes to fail in one of them.
func TestStartFailsHalfWay(t *testing.T) {
	harness.Test(t)
	runAndWait(t, spawn.Group{Out: newOut()}, spawn.Job{Func: "report"})

	for room := range 100 {
		s := newStage(t)
		var jobs []spawn.Job
		for range 3 {
			job, _ := s.job("gate", "")
			jobs = append(jobs, job)
		}
		come := 0
		var exits []spawn.Exit
		var err error
		harness.WithFiles(t, room, func() {
			s.run(spawn.Group{Out: newOut()}, jobs...)
			for ; come < len(jobs); come++ {
				if _, err := s.Hear(); err != nil {
					break // Run has returned
				}
			}
			if come == len(jobs) {
				s.OpenAll()
			}
			exits, err = s.end()
		})
		if come == len(jobs) {
			require.NoError(t, err, "Run returned an error, though all children had been started and had ended by themselves")
			require.Len(t, exits, 3, "Run did not return one exit for each of the three children that it had started")
			return // there was room for all
		}
		require.Less(t, len(exits), 3, "Run returned an exit for a child that could not be started")
		for i, exit := range exits {
			require.False(t, exists(exit.PID), "child %d was started, a later one could not be, and Run returned without waiting for it", i)
		}
		require.ErrorIs(t, err, syscall.EMFILE, "there was room for %d descriptors more, a start failed, and Run's error was not the reason", room)
	}
	t.Error("Run needed more than 100 descriptors for three children")
}

// More children than anybody has processors, and than a bound of 8, 16 or 32 at one time
// would let in: with each one more a slow machine takes longer, and no other mistake shows.
func TestManyChildren(t *testing.T) {
	harness.Test(t)
	const many = 40
	s := newStage(t)
	place, _ := s.Gate() // one gate for all
	var jobs []spawn.Job
	for i := range many {
		jobs = append(jobs, spawn.Job{Func: "gate", Message: place + " " + strconv.Itoa(i)})
	}
	s.run(spawn.Group{Out: newOut()}, jobs...)
	pids := s.arrivals(many)
	s.OpenAll()
	exits, err := s.end()
	require.NoError(t, err, "Run returned an error, though all children had been started and had ended by themselves")
	require.Len(t, exits, many, "Run did not return one exit for each of %d children", many)
	for i, exit := range exits {
		require.Equal(t, spawn.Exit{PID: pids[strconv.Itoa(i)]}, exit, "Run returned another exit for child %d than that of a child that ended with 0", i)
	}
}

var (
	errFull   = errors.New("disk full")
	errStill  = errors.New("disk full still")
	roomAgain = 3 // errors
)

// fullWriter takes one write, and then fails, each time for another reason. It can
// be written to again afterwards.
type fullWriter struct{ writes int }

func (w *fullWriter) Write(p []byte) (int, error) {
	w.writes++
	switch {
	case w.writes == 2:
		return 0, errFull
	case w.writes > 2 && w.writes < 2+roomAgain:
		return 0, errStill
	}
	return len(p), nil
}

// The children print more than a pipe holds: if nobody reads on, they stand still.
func TestOutFails(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	one, _ := s.job("many", "20 10000 a")
	two, _ := s.job("many", "20 10000 b")
	s.run(spawn.Group{Out: &fullWriter{}}, one, two)
	pids := s.arrivals(2)
	s.OpenAll()
	exits, err := s.end()
	require.ErrorIs(t, err, errFull, "Run did not return the first error of Out")
	want := []spawn.Exit{{PID: pids["20 10000 a"]}, {PID: pids["20 10000 b"]}}
	assert.Equal(t, want, exits, "the children did not run on to their end after Out had failed")
}
