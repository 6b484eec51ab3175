package sharedmemory_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	sharedmemory "prokata/katas/03-shared-memory"
)

func TestLockExcludes(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	one, two := startPuppet(t, s), startPuppet(t, s)
	lock := s.Lock()

	require.NoError(t, lock.Acquire(context.Background()), "Acquire returned an error, though the lock was free")
	require.Equal(t, "locked", one.ask("try"), "a child got the lock that its parent held")
	require.NoError(t, lock.Release(), "Release returned an error, though this process held the lock")

	require.NoError(t, lock.TryAcquire(), "TryAcquire did not get a lock that was free")
	require.Equal(t, "locked", one.ask("try"), "a child got the lock that its parent held")
	require.NoError(t, lock.Release(), "Release returned an error, though this process held the lock")

	require.Equal(t, "ok", one.ask("acquire"), "Acquire of a child returned an error, though the lock was free")
	require.ErrorIs(t, lock.TryAcquire(), sharedmemory.ErrLocked, "the parent got the lock that a child held")
	require.Equal(t, "locked", two.ask("try"), "a child got the lock that its sibling held")

	// Whoever waits gets it in the end.
	two.tell("acquire")
	require.Equal(t, "ok", one.ask("release"), "Release returned an error to the child that held the lock")
	require.Equal(t, "ok", two.answer(), "a child that had waited for the lock did not get it")
	require.Equal(t, "locked", one.ask("try"), "a child got the lock that its sibling held")
	require.Equal(t, "ok", two.ask("release"), "Release returned an error to the child that held the lock")
	require.NoError(t, lock.TryAcquire(), "TryAcquire did not get a lock that was free")
	require.NoError(t, lock.Release(), "Release returned an error, though this process held the lock")
	one.end()
	two.end()
}

func TestLocksAreApart(t *testing.T) {
	harness.Test(t)
	a, b := create(t, 1), create(t, 1)
	child := startPuppet(t, b)
	require.NoError(t, a.Lock().TryAcquire(), "TryAcquire did not get a lock that was free")
	require.Equal(t, "ok", child.ask("try"), "two segments shared their lock")
	require.NoError(t, a.Lock().Release(), "Release returned an error, though this process held the lock")
	require.Equal(t, "ok", child.ask("release"), "Release returned an error to the child that held the lock")
	child.end()
}

func TestLockOutlivesCreator(t *testing.T) {
	harness.Test(t)
	s, err := sharedmemory.Create(1)
	require.NoError(t, err, "Create returned an error")
	one, two := startPuppet(t, s), startPuppet(t, s)
	require.NoError(t, s.Close(), "Close returned an error")
	require.Equal(t, "ok", one.ask("acquire"), "Acquire of a child returned an error, though the lock was free")
	require.Equal(t, "locked", two.ask("try"), "the lock was gone with the segment's creator")
	require.Equal(t, "ok", one.ask("release"), "Release returned an error to the child that held the lock")
	one.end()
	two.end()
}

func TestLockedCount(t *testing.T) {
	harness.Test(t)
	// More than once: chance may be kind to a lock that does not lock.
	for range 3 {
		n, err := sharedmemory.Count(context.Background(), sharedmemory.Locked, 4, 1000)
		require.NoError(t, err, "Count returned an error, though no child had failed")
		require.EqualValues(t, 4000, n, "4 processes incremented the number 1,000 times each with the lock held, and increments were lost or doubled")
	}
}

// A child burns no CPU time while it waits for the lock that its parent holds.
func TestWaitingCostsNoCPU(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	require.NoError(t, s.Lock().Acquire(context.Background()), "Acquire returned an error, though the lock was free")
	child := startPuppet(t, s)
	child.tell("cost")
	harness.Waiting(t, child.cmd.Process.Pid)
	const work = 200
	for end := cpuMilliseconds() + work; cpuMilliseconds() < end; {
	}
	require.NoError(t, s.Lock().Release(), "Release returned an error, though this process held the lock")
	cost, err := strconv.Atoi(child.answer())
	require.NoError(t, err, "Acquire of a child that had waited for the lock returned an error")
	assert.Less(t, cost, work/4, "Acquire used %d ms of CPU time while the owner worked for %d ms", cost, work)
	require.Equal(t, "ok", child.ask("release"), "Release returned an error to the child that held the lock")
	child.end()
}

func TestLockExcludesGoroutines(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	lock := s.Lock()
	require.NoError(t, lock.Acquire(context.Background()), "Acquire returned an error, though the lock was free")
	require.ErrorIs(t, lock.TryAcquire(), sharedmemory.ErrLocked, "a second goroutine of the process got the lock")
	got := make(chan error)
	go func() { got <- lock.Acquire(context.Background()) }()
	require.NoError(t, lock.Release(), "Release returned an error, though this process held the lock")
	require.NoError(t, <-got, "a goroutine that had waited for the lock did not get it")
	require.ErrorIs(t, s.Lock().TryAcquire(), sharedmemory.ErrLocked, "a second call of Segment.Lock returned another lock")
	require.NoError(t, lock.Release(), "Release returned an error, though this process held the lock")

	// Several goroutines, each of which asks for the segment's parts itself.
	s = create(t, 1)
	const goroutines, increments = 3, 50
	ended := make(chan error)
	for range goroutines {
		go func() { ended <- countIn(s, increments) }()
	}
	for range goroutines {
		require.NoError(t, <-ended, "Value, Acquire or Release returned an error in one of several goroutines")
	}
	require.EqualValues(t, goroutines*increments, value(t, s, 0).Get(), "several goroutines incremented the number, with the lock held, and increments were lost")
}

func countIn(s *sharedmemory.Segment, increments int) error {
	v, err := s.Value(0)
	for range increments {
		if err = errors.Join(err, s.Lock().Acquire(context.Background())); err != nil {
			return err
		}
		v.Set(v.Get() + 1)
		err = s.Lock().Release()
	}
	return err
}

func TestReleaseNotHeld(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	lock := s.Lock()
	child := startPuppet(t, s)

	require.ErrorIs(t, lock.Release(), sharedmemory.ErrNotHeld, "Release did not return ErrNotHeld, though nobody held the lock")
	require.Equal(t, "ok", child.ask("acquire"), "Acquire of a child returned an error, though the lock was free")
	require.ErrorIs(t, lock.Release(), sharedmemory.ErrNotHeld, "Release did not return ErrNotHeld, though a child held the lock")
	require.ErrorIs(t, lock.TryAcquire(), sharedmemory.ErrLocked, "a Release by who did not hold it opened the lock")
	require.Equal(t, "ok", child.ask("release"), "Release returned an error to the child that held the lock")
	require.Equal(t, "not held", child.ask("release"), "the second Release did not return ErrNotHeld")
	require.NoError(t, lock.TryAcquire(), "TryAcquire did not get a lock that was free")
	require.NoError(t, lock.Release(), "Release returned an error, though this process held the lock")
	child.end()
}

func TestDoReleases(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	lock := s.Lock()
	child := startPuppet(t, s)

	require.NoError(t, lock.Do(context.Background(), func(died bool) error {
		require.False(t, died, "Do told that the former owner had died, though there had been none")
		require.Equal(t, "locked", child.ask("try"), "Do called its function without the lock")
		return nil
	}), "Do returned an error, though its function had not")
	broken := errors.New("broken")
	require.ErrorIs(t, lock.Do(context.Background(), func(bool) error { return broken }), broken, "Do did not return the error of its function")
	require.Equal(t, "ok", child.ask("acquire"), "Do kept the lock after its function had returned an error")
	require.Equal(t, "ok", child.ask("release"), "Release returned an error to the child that held the lock")

	require.PanicsWithValue(t, "boom", func() {
		_ = lock.Do(context.Background(), func(bool) error { panic("boom") })
	}, "Do did not hand on the panic of its function")
	require.Equal(t, "ok", child.ask("try"), "Do kept the lock after its function had panicked")
	require.Equal(t, "ok", child.ask("release"), "Release returned an error to the child that held the lock")

	left := make(chan struct{})
	go func() {
		defer close(left)
		_ = lock.Do(context.Background(), func(bool) error { runtime.Goexit(); return nil })
	}()
	<-left
	require.Equal(t, "ok", child.ask("try"), "Do kept the lock after its function had ended its goroutine")
	require.Equal(t, "ok", child.ask("release"), "Release returned an error to the child that held the lock")
	child.end()
}
