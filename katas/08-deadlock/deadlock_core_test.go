package deadlock_test

import (
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"prokata/checker/harness"
	deadlock "prokata/katas/08-deadlock"
)

// Two processes and two locks: the smallest circle.
func TestSimulationDeadlocks(t *testing.T) {
	harness.Test(t)
	simulate(t, 2)
}

// simulate asserts that a simulation of n processes is a deadlock as it should be:
// process i holds lock i and waits for the holder of the next one.
func simulate(t *testing.T, n int) {
	t.Helper()
	dir := t.TempDir()
	sim, err := deadlock.Simulate(dir, n)
	require.NoError(t, err, "Simulate failed")
	t.Cleanup(sim.End)
	pids := sim.PIDs()
	require.Len(t, pids, n, "Simulate started another number of processes than the %d that it was asked for", n)

	proof := harness.Deadlocked(t, pids...)

	waits := map[int]harness.Wait{}
	for _, w := range proof.Waits {
		waits[w.PID] = w
	}
	for i, pid := range pids {
		next := (i + 1) % n
		w := waits[pid]
		require.Equal(t, "lock", w.For, "process %d did not wait for a lock", i)
		assert.Equal(t, filepath.Base(deadlock.LockPath(dir, next)), filepath.Base(w.What), "process %d waited for another lock than lock %d", i, next)
		assert.Equal(t, []int{pids[next]}, w.On, "process %d did not wait for process %d", i, next)
	}
	circle := slices.Clone(proof.Circle)
	if i := slices.Index(circle, pids[0]); i > 0 {
		circle = append(circle[i:], circle[:i]...) // a circle may be told from any of its members on
	}
	assert.Empty(t, cmp.Diff(pids, circle), "the circle of waits was not that of the processes (-want +got)")
}

// Two Locks of one path exclude each other within one process.
func TestLockExcludes(t *testing.T) {
	harness.Test(t)
	path := deadlock.LockPath(t.TempDir(), 0)
	a, b := openLock(t, path), openLock(t, path)
	require.False(t, isHeld(t, path), "OpenLock acquired the lock")
	require.NoError(t, a.Acquire(), "Acquire failed")

	free, err := b.TryAcquire()
	require.NoError(t, err, "TryAcquire failed")
	require.False(t, free, "a second Lock acquired what the first one held")

	require.NoError(t, a.Release(), "Release failed")
	free, err = b.TryAcquire()
	require.NoError(t, err, "TryAcquire failed")
	require.True(t, free, "TryAcquire found the lock taken after its holder had released it")

	free, err = a.TryAcquire()
	require.NoError(t, err, "TryAcquire failed")
	require.False(t, free, "the first Lock acquired what the second one held by TryAcquire")
}

// Acquire does not return while another Lock holds it.
func TestLockWaits(t *testing.T) {
	harness.Test(t)
	path := deadlock.LockPath(t.TempDir(), 0)
	a, b := openLock(t, path), openLock(t, path)
	require.NoError(t, a.Acquire(), "Acquire failed")

	var had atomic.Bool
	waiting, ended := make(chan bool), make(chan error)
	go func() {
		close(waiting)
		err := b.Acquire()
		had.Store(true)
		ended <- err
	}()
	<-waiting
	for i := 0; i < 20 && !had.Load(); i++ { // a while to make its mistake
		time.Sleep(time.Millisecond)
	}
	early := had.Load()
	require.NoError(t, a.Release(), "Release failed")
	require.NoError(t, <-ended, "Acquire failed")
	assert.False(t, early, "Acquire returned while another Lock held the lock")
	assert.True(t, isHeld(t, path), "nobody held the lock after Acquire had returned")
}

// A lock excludes other processes, and can be had from them.
func TestLockBetweenProcesses(t *testing.T) {
	harness.Test(t)
	path := deadlock.LockPath(t.TempDir(), 0)
	l := openLock(t, path)
	c := startChild(t, nil, "test-lock-holder", path)
	c.tell()
	c.hear("acquired the lock")

	free, err := l.TryAcquire()
	require.NoError(t, err, "TryAcquire failed")
	require.False(t, free, "TryAcquire took a lock that a child process held")

	c.tell()
	c.hear("released the lock")
	require.NoError(t, l.Acquire(), "Acquire failed")

	other := startChild(t, nil, "test-lock-holder", path)
	other.tell() // it waits for the lock now, or soon
	require.NoError(t, l.Release(), "Release failed")
	other.hear("acquired the lock")
}

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

// A lock in the wrong hands is an error, never a wait for oneself.
func TestLockMisuse(t *testing.T) {
	harness.Test(t)
	l := openLock(t, deadlock.LockPath(t.TempDir(), 0))
	assert.ErrorIs(t, l.Release(), deadlock.ErrNotHeld, "Release did not tell that the lock was never acquired")

	require.NoError(t, l.Acquire(), "Acquire failed")
	require.ErrorIs(t, l.Acquire(), deadlock.ErrHeld, "Acquire did not tell that the same Lock held the lock")
	free, err := l.TryAcquire()
	assert.ErrorIs(t, err, deadlock.ErrHeld, "TryAcquire did not tell that the same Lock held the lock")
	assert.False(t, free, "TryAcquire acquired a lock a second time")

	require.NoError(t, l.Release(), "Release failed")
	assert.ErrorIs(t, l.Release(), deadlock.ErrNotHeld, "Release did not tell that the lock was released already")

	_, err = deadlock.OpenLock(filepath.Join(t.TempDir(), "missing", "lock"))
	assert.ErrorIs(t, err, os.ErrNotExist, "OpenLock did not tell that there is no such folder")
}

// Close releases what is held.
func TestLockClose(t *testing.T) {
	harness.Test(t)
	path := deadlock.LockPath(t.TempDir(), 0)
	l, err := deadlock.OpenLock(path)
	require.NoError(t, err, "OpenLock failed")
	require.NoError(t, l.Acquire(), "Acquire failed")
	require.NoError(t, l.Close(), "Close failed")
	assert.FileExists(t, path, "Close removed the lock's file")
	assert.False(t, isHeld(t, path), "Close left the lock held")

	assert.ErrorIs(t, l.Release(), deadlock.ErrNotHeld, "Release did not tell that the Lock was closed, and so not held")
	assert.Error(t, l.Acquire(), "Acquire succeeded of a Lock that was closed")
	free, err := l.TryAcquire()
	assert.Error(t, err, "TryAcquire told of no error though the Lock was closed")
	assert.False(t, free, "TryAcquire acquired a lock that was closed")
}

// Five processes and five locks: one circle through all of them.
func TestSimulationClosesTheCircle(t *testing.T) {
	harness.Test(t)
	simulate(t, 5)
}

// Simulate returns with every lock held, and End gives everything back.
func TestSimulationEnds(t *testing.T) {
	harness.Test(t)
	dir := t.TempDir()
	sim, err := deadlock.Simulate(dir, 3)
	require.NoError(t, err, "Simulate failed")
	pids := sim.PIDs()
	for i := range 3 {
		assert.True(t, isHeld(t, deadlock.LockPath(dir, i)), "lock %d was free when Simulate returned", i)
	}
	for _, pid := range pids { // who is stopped does not end by himself when a lock is free
		require.NoError(t, unix.Kill(pid, unix.SIGSTOP), "the test could not send a signal: the process had ended too early")
	}
	sim.End()
	for i := range 3 {
		assert.False(t, isHeld(t, deadlock.LockPath(dir, i)), "lock %d was held when End had returned", i)
	}
	for _, pid := range pids {
		assertGone(t, pid)
	}
	sim.End() // has nothing left to do
}
