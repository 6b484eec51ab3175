package sharedmemory_test

import (
	"context"
	"testing"

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
		for _, way := range []string{"acquire", "try"} {
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

func TestDoTellsOfADeadOwner(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	lock := s.Lock()
	child := startPuppet(t, s)
	require.Equal(t, "ok", child.ask("acquire"), "Acquire of a child returned an error, though the lock was free")
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
