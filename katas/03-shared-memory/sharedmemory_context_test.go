package sharedmemory_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	sharedmemory "prokata/katas/03-shared-memory"
)

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

// With a context that could end, the next owner is told as well.
func TestOwnerDiedBeforeAPatientOne(t *testing.T) {
	harness.Test(t)
	s := create(t, 1)
	owner, heir := startPuppet(t, s), startPuppet(t, s)
	require.Equal(t, "ok", owner.ask("acquire"), "Acquire of a child returned an error, though the lock was free")
	heir.tell("patiently")
	waitsForLock(heir)
	owner.kill()
	require.Equal(t, "owner died", heir.answer(), "the owner of the lock was killed, and who had waited with a context was not told")
	require.ErrorIs(t, s.Lock().TryAcquire(), sharedmemory.ErrLocked, "the owner of the lock was killed, and who had waited with a context was told, but did not hold the lock")
	require.Equal(t, "ok", heir.ask("release"), "Release returned an error to the child that held the lock")
	heir.end()
}

func TestDoEndsWithItsContext(t *testing.T) {
	harness.Test(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, create(t, 1).Lock().Do(ctx, func(bool) error {
		t.Error("Do called its function without the lock")
		return nil
	}), context.Canceled, "Do did not return the error of its context, which had ended")
}

func acquireFor(l *sharedmemory.Lock, d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return l.Acquire(ctx)
}
