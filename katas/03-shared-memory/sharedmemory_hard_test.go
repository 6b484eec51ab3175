package sharedmemory_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	sharedmemory "prokata/katas/03-shared-memory"
)

// However the owner of the lock ends without a Release, the next owner is told,
// and only the next one.
func TestOwnerDied(t *testing.T) {
	harness.Test(t)
	for _, end := range []struct {
		how  string
		owns func(p *puppet)
	}{{"was killed", (*puppet).kill}, {"exited", (*puppet).exit}, {"closed its segment", (*puppet).end}} {
		for _, way := range []string{"acquire", "try", "patiently"} { // patiently: with a context
			s := create(t, 1)
			lock := s.Lock()
			owner, heir := startPuppet(t, s), startPuppet(t, s)
			require.Equal(t, "ok", owner.ask("acquire"), "Acquire of a child returned an error, though the lock was free")
			end.owns(owner)

			require.Equal(t, "owner died", heir.ask(way), "the owner of the lock %s, and the next owner (%s) was not told", end.how, way)
			require.ErrorIs(t, lock.TryAcquire(), sharedmemory.ErrLocked, "the owner of the lock %s, and the next owner (%s) was told, but did not hold the lock", end.how, way)
			require.Equal(t, "ok", heir.ask("release"), "Release returned an error to the child that held the lock")
			require.NoError(t, lock.TryAcquire(), "the owner of the lock %s, and the owner after the next one was told, or did not get the lock", end.how)
			require.NoError(t, lock.Release(), "Release returned an error, though this process held the lock")
			heir.end()
		}
	}
}

func TestOwnerKilledWhileOthersWait(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	owner, one, two := startPuppet(t, s), startPuppet(t, s), startPuppet(t, s)
	require.Equal(t, "ok", owner.ask("acquire"), "Acquire of a child returned an error, though the lock was free")
	one.tell("acquire")
	two.tell("acquire")
	parent := make(chan error)
	go func() { parent <- s.Lock().Acquire(context.Background()) }()
	owner.kill()

	// They get it in any order. Each one releases it, so the next one can.
	died := 0
	count := func(answer string) {
		if answer == "owner died" {
			died++
		} else {
			assert.Equal(t, "ok", answer, "one of those that had waited did not get the lock")
		}
	}
	answers := make(chan string)
	for _, p := range []*puppet{one, two} {
		go func() {
			answer := p.answer()
			if r := p.ask("release"); r != "ok" {
				answer = r
			}
			answers <- answer
		}()
	}
	for range 3 {
		select {
		case answer := <-answers:
			count(answer)
		case err := <-parent:
			count(word(err))
			require.NoError(t, s.Lock().Release(), "Release returned an error, though this process held the lock")
		}
	}
	assert.Equal(t, 1, died, "not one alone of the three that had waited was told that the owner had died")
	one.end()
	two.end()
}

func TestWaiterKilled(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	lock := s.Lock()
	waiter, other := startPuppet(t, s), startPuppet(t, s)
	require.NoError(t, lock.Acquire(context.Background()), "Acquire returned an error, though the lock was free")
	require.Equal(t, "begun", waiter.ask("announce"), "a child did not begin to acquire the lock")
	waitsForLock(waiter)
	waiter.kill()
	other.tell("acquire")
	require.NoError(t, lock.Release(), "Release returned an error, though this process held the lock")
	assert.Equal(t, "ok", other.answer(), "Acquire did not get the lock, or told of a dead owner, when only a process that had waited was killed")
	require.Equal(t, "ok", other.ask("release"), "Release returned an error to the child that held the lock")
	other.end()
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

func TestAcquireWithContext(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	lock := s.Lock()
	child := startPuppet(t, s)

	// Free, and a context that does not end.
	ctx, cancel := context.WithCancel(context.Background())
	require.NoError(t, lock.Acquire(ctx), "Acquire returned an error, though the lock was free")
	require.Equal(t, "too late", child.ask("briefly"), "two processes got the lock, both with a context")
	require.NoError(t, lock.Release(), "Release returned an error, though this process held the lock")

	// Ended before. More than once: a select takes one of two ways by chance.
	cancel()
	for range 20 {
		require.ErrorIs(t, lock.Acquire(ctx), context.Canceled, "Acquire did not return the error of its context, which had ended, when the lock was free")
	}

	// Ended while a child, and then while a goroutine, holds the lock.
	require.Equal(t, "ok", child.ask("acquire"), "Acquire of a child returned an error, though the lock was free")
	require.ErrorIs(t, acquireFor(lock, 20*time.Millisecond), context.DeadlineExceeded, "Acquire did not return the error of its context, which ended while the lock was held")
	require.Equal(t, "ok", child.ask("release"), "Release returned an error to the child that held the lock")
	require.Equal(t, "ok", child.ask("try"), "Acquire returned an error and held the lock, or took it later")
	require.Equal(t, "ok", child.ask("release"), "Release returned an error to the child that held the lock")
	require.NoError(t, lock.Acquire(context.Background()), "TryAcquire did not get a lock that was free")
	require.ErrorIs(t, acquireFor(lock, 20*time.Millisecond), context.DeadlineExceeded, "Acquire did not return the error of its context, which ended while the lock was held")
	require.NoError(t, lock.Release(), "Release returned an error, though this process held the lock")

	// Freed while a context runs.
	require.Equal(t, "ok", child.ask("acquire"), "Acquire of a child returned an error, though the lock was free")
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	got := make(chan error)
	go func() { got <- lock.Acquire(ctx) }()
	require.Equal(t, "ok", child.ask("release"), "Release returned an error to the child that held the lock")
	require.NoError(t, <-got, "Acquire with a context that did not end returned an error when the lock was released")
	require.NoError(t, lock.Release(), "Release returned an error, though this process held the lock")
	child.end()
}

func acquireFor(l *sharedmemory.Lock, d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return l.Acquire(ctx)
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

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, lock.Do(ctx, func(bool) error {
		t.Error("Do called its function without the lock")
		return nil
	}), context.Canceled, "Do did not return the error of its context, which had ended")

	child.kill()
	called := false
	require.NoError(t, lock.Do(context.Background(), func(died bool) error {
		called = true
		require.True(t, died, "Do did not tell that the former owner had died")
		return nil
	}), "Do returned an error because the former owner had died, though it had told its function")
	require.True(t, called, "Do did not call its function after the former owner had died")
	require.NoError(t, lock.TryAcquire(), "TryAcquire did not get a lock that was free")
	require.NoError(t, lock.Release(), "Release returned an error, though this process held the lock")
}

// What would be left in the temp folder or in /dev/shm is found by the harness.
func TestNothingLeftAfterKill(t *testing.T) {
	harness.Test(t)
	child := startPuppet(t, nil)
	require.Equal(t, "ok", child.ask("create", 100), "Create of a child returned an error")
	child.kill()
	s := create(t, 100)
	user := startPuppet(t, s)
	require.Equal(t, "ok", user.ask("acquire"), "Acquire of a child returned an error, though the lock was free")
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
	require.Equal(t, "ok", one.ask("acquire"), "Acquire of a child returned an error, though the lock was free")
	require.Equal(t, "locked", two.ask("try"), "the lock was gone with the segment's creator")
	require.Equal(t, "ok", one.ask("release"), "Release returned an error to the child that held the lock")
	one.end()
	two.end()
}

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

// Of two children one cannot get to its main function. The other one is ready, and
// has nothing to do but to wait for it.
func TestNoneBeginsBeforeAllAreReady(t *testing.T) {
	harness.Test(t)
	s := newStaircase(t)
	counted := make(chan error, 1)
	go func() {
		_, err := sharedmemory.Count(context.Background(), sharedmemory.Atomic, 2, 10)
		s.nobodyElse()
		counted <- err
	}()
	if pid := s.first(); pid > 0 {
		for range 8 { // in a check, a child also waits a moment for its siblings
			harness.Waiting(t, pid)
		}
		assert.False(t, s.firstHasEnded(), "a child had begun and ended before the other one was ready")
	}
	s.letPass()
	require.NoError(t, <-counted, "Count returned an error, though no child had failed")
}

// The context ends when the first child is there, and others are still to come.
func TestCancelledDuringTheStart(t *testing.T) {
	harness.Test(t)
	s := newStaircase(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	counted := make(chan error, 1)
	go func() {
		_, err := sharedmemory.Count(ctx, sharedmemory.Atomic, 30, 10)
		s.nobodyElse()
		counted <- err
	}()
	s.first()
	cancel()
	err := <-counted // while those that came later cannot go on, and have to be killed
	s.letPass()
	require.ErrorIs(t, err, context.Canceled, "Count did not return the error of its context, which had been cancelled during the start")
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

// nothing wants no segment with an error, and lets go of one.
func nothing(t *testing.T, s *sharedmemory.Segment, err error) {
	t.Helper()
	if s != nil {
		assert.NoError(t, err, "Create returned a segment with its error")
		s.Close()
	}
}

func TestCountStartFails(t *testing.T) {
	harness.Test(t)
	for _, start := range []func() error{
		func() error {
			_, err := sharedmemory.Count(context.Background(), sharedmemory.Atomic, 2, 10)
			return err
		},
		func() error {
			_, err := sharedmemory.Fill(context.Background(), 2, 10)
			return err
		},
	} {
		harness.UntilItFits(t, start)
	}
}
