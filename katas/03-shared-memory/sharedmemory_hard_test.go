package sharedmemory_test

import (
	"context"
	"errors"
	"math"
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
	for name, ends := range map[string]func(p *puppet){
		"killed": (*puppet).kill,
		"exited": (*puppet).exit,
		"closed": (*puppet).end,
	} {
		s := create(t, 1)
		lock := s.Lock()
		owner, heir := startPuppet(t, s), startPuppet(t, s)
		require.Equal(t, "ok", owner.ask("acquire"))
		ends(owner)

		require.Equal(t, "owner died", heir.ask("acquire"), "%s: the next owner was not told", name)
		require.ErrorIs(t, lock.TryAcquire(), sharedmemory.ErrLocked, "%s: the next owner did not hold the lock", name)
		require.Equal(t, "ok", heir.ask("release"))
		require.NoError(t, lock.TryAcquire(), "%s: the owner after the next one", name)
		require.NoError(t, lock.Release())
		heir.end()
	}
}

func TestOwnerKilledWhileOthersWait(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	owner, one, two := startPuppet(t, s), startPuppet(t, s), startPuppet(t, s)
	require.Equal(t, "ok", owner.ask("acquire"))
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
			assert.Equal(t, "ok", answer)
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
			require.NoError(t, s.Lock().Release())
		}
	}
	assert.Equal(t, 1, died, "so many of three were told that the owner had died")
	one.end()
	two.end()
}

func TestWaiterKilled(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	lock := s.Lock()
	waiter, other := startPuppet(t, s), startPuppet(t, s)
	require.NoError(t, lock.Acquire(context.Background()))
	require.Equal(t, "begun", waiter.ask("announce"))
	waitsForLock(waiter)
	waiter.kill()
	other.tell("acquire")
	require.NoError(t, lock.Release())
	assert.Equal(t, "ok", other.answer(), "only a process that had waited was killed, not an owner")
	require.Equal(t, "ok", other.ask("release"))
	other.end()
}

// A child burns no CPU time while it waits for the lock that its parent holds.
func TestWaitingCostsNoCPU(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	require.NoError(t, s.Lock().Acquire(context.Background()))
	child := startPuppet(t, s)
	child.tell("cost")
	harness.Waiting(t, child.cmd.Process.Pid)
	const work = 200
	for end := cpuMilliseconds() + work; cpuMilliseconds() < end; {
	}
	require.NoError(t, s.Lock().Release())
	cost, err := strconv.Atoi(child.answer())
	require.NoError(t, err)
	assert.Less(t, cost, work/4, "Acquire used %d ms of CPU time while the owner worked for %d ms", cost, work)
	require.Equal(t, "ok", child.ask("release"))
	child.end()
}

func TestAcquireWithContext(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	lock := s.Lock()
	child := startPuppet(t, s)

	// Free, and a context that does not end.
	ctx, cancel := context.WithCancel(context.Background())
	require.NoError(t, lock.Acquire(ctx))
	require.Equal(t, "too late", child.ask("briefly"), "two processes got the lock, both with a context")
	require.NoError(t, lock.Release())

	// Ended before. More than once: a select takes one of two ways by chance.
	cancel()
	for range 20 {
		require.ErrorIs(t, lock.Acquire(ctx), context.Canceled, "the lock was free, but the context had ended")
	}

	// Ended while a child, and then while a goroutine, holds the lock.
	require.Equal(t, "ok", child.ask("acquire"))
	require.ErrorIs(t, acquireFor(lock, 20*time.Millisecond), context.DeadlineExceeded)
	require.Equal(t, "ok", child.ask("release"))
	require.Equal(t, "ok", child.ask("try"), "Acquire returned an error and held the lock, or took it later")
	require.Equal(t, "ok", child.ask("release"))
	require.NoError(t, lock.Acquire(context.Background()), "the lock was free")
	require.ErrorIs(t, acquireFor(lock, 20*time.Millisecond), context.DeadlineExceeded)
	require.NoError(t, lock.Release())

	// Freed while a context runs.
	require.Equal(t, "ok", child.ask("acquire"))
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	got := make(chan error)
	go func() { got <- lock.Acquire(ctx) }()
	require.Equal(t, "ok", child.ask("release"))
	require.NoError(t, <-got)
	require.NoError(t, lock.Release())
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

	require.ErrorIs(t, lock.Release(), sharedmemory.ErrNotHeld, "nobody held the lock")
	require.Equal(t, "ok", child.ask("acquire"))
	require.ErrorIs(t, lock.Release(), sharedmemory.ErrNotHeld, "a child held the lock")
	require.ErrorIs(t, lock.TryAcquire(), sharedmemory.ErrLocked, "a Release by who did not hold it opened the lock")
	require.Equal(t, "ok", child.ask("release"))
	require.Equal(t, "not held", child.ask("release"), "the lock was released a second time")
	require.NoError(t, lock.TryAcquire(), "the lock was free")
	require.NoError(t, lock.Release())
	child.end()
}

func TestDoReleases(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	lock := s.Lock()
	child := startPuppet(t, s)

	require.NoError(t, lock.Do(context.Background(), func(died bool) error {
		require.False(t, died)
		require.Equal(t, "locked", child.ask("try"), "Do called its function without the lock")
		return nil
	}))
	broken := errors.New("broken")
	require.ErrorIs(t, lock.Do(context.Background(), func(bool) error { return broken }), broken)
	require.Equal(t, "ok", child.ask("acquire"), "the function had returned an error")
	require.Equal(t, "ok", child.ask("release"))

	require.PanicsWithValue(t, "boom", func() {
		_ = lock.Do(context.Background(), func(bool) error { panic("boom") })
	})
	require.Equal(t, "ok", child.ask("acquire"), "the function had panicked")

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, lock.Do(ctx, func(bool) error {
		t.Error("Do called its function without the lock")
		return nil
	}), context.Canceled)

	child.kill()
	called := false
	require.NoError(t, lock.Do(context.Background(), func(died bool) error {
		called = true
		require.True(t, died, "Do did not tell that the former owner had died")
		return nil
	}), "that the former owner died is for the function to handle")
	require.True(t, called, "Do did not call its function after the former owner had died")
	require.NoError(t, lock.TryAcquire(), "the lock was free")
	require.NoError(t, lock.Release())
}

// What would be left in the temp folder or in /dev/shm is found by the harness.
func TestNothingLeftAfterKill(t *testing.T) {
	harness.Test(t)
	child := startPuppet(t, nil)
	require.Equal(t, "ok", child.ask("create", 100))
	child.kill()
	s := create(t, 100)
	user := startPuppet(t, s)
	require.Equal(t, "ok", user.ask("acquire"))
	user.kill()
}

func TestSegmentOutlivesCreator(t *testing.T) {
	harness.Test(t)
	s, err := sharedmemory.Create(1)
	require.NoError(t, err)
	one, two := startPuppet(t, s), startPuppet(t, s)
	require.NoError(t, s.Close())
	require.Equal(t, "ok", one.ask("set", 0, 9))
	require.Equal(t, "9", two.ask("get", 0), "the segment was gone with its creator")
	require.Equal(t, "ok", one.ask("acquire"))
	require.Equal(t, "locked", two.ask("try"), "the lock was gone with the segment's creator")
	require.Equal(t, "ok", one.ask("release"))
	one.end()
	two.end()
}

func TestCountCancelled(t *testing.T) {
	harness.Test(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := sharedmemory.Count(ctx, sharedmemory.Locked, 2, 10)
	assert.ErrorIs(t, err, context.Canceled)

	// More increments than fit into the time.
	ctx, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = sharedmemory.Count(ctx, sharedmemory.Atomic, 2, 1<<24)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestCountRefuses(t *testing.T) {
	harness.Test(t)
	create(t, 1)
	_, err := sharedmemory.Count(context.Background(), "wishfully", 2, 10)
	assert.Error(t, err, "there is no such way")
	for _, processes := range []int{0, -1} {
		_, err = sharedmemory.Count(context.Background(), sharedmemory.Atomic, processes, 10)
		assert.Error(t, err, "Count with %d processes", processes)
		_, err = sharedmemory.Fill(context.Background(), processes, 10)
		assert.Error(t, err, "Fill with %d processes", processes)
	}
	_, err = sharedmemory.Fill(context.Background(), 2, 0)
	assert.ErrorIs(t, err, sharedmemory.ErrRange, "Fill with no elements")
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
	require.NoError(t, <-counted)
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
	s.letPass()
	require.ErrorIs(t, <-counted, context.Canceled)
}

// What a start that failed half-way leaves is found by the harness.
func TestCreateFails(t *testing.T) {
	harness.Test(t)
	create(t, 1) // for the stub: Create alone would also fail as it should here
	// In bytes, the first would come to 16 if that number were cut to 64 bits.
	for _, n := range []int{math.MaxInt/4 + 2, math.MaxInt, math.MaxInt >> 13} {
		s, err := sharedmemory.Create(n)
		assert.Error(t, err, "Create made a segment of %d numbers", n)
		assert.Nil(t, s, "Create returned an error and a segment")
	}
	refused := harness.UntilItFits(t, func() error {
		s, err := sharedmemory.Create(1)
		if err == nil {
			return s.Close()
		}
		assert.Nil(t, s, "Create returned an error and a segment")
		return err
	})
	assert.Positive(t, refused, "a segment was made without a single descriptor")
}

func TestCountStartFails(t *testing.T) {
	harness.Test(t)
	for name, start := range map[string]func() error{
		"Count": func() error {
			_, err := sharedmemory.Count(context.Background(), sharedmemory.Atomic, 2, 10)
			return err
		},
		"Fill": func() error {
			_, err := sharedmemory.Fill(context.Background(), 2, 10)
			return err
		},
	} {
		assert.Positive(t, harness.UntilItFits(t, start), "%s started two processes without a single descriptor", name)
	}
}
