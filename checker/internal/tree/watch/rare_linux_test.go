package watch

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

//go:noinline
func wrapped(t *Table) (degree, uint64) { return t.due(0) }

// A method that wraps an access is as many places as it has callers: the one call that
// forgot the lock is rare, however often the others come.
func TestPlaceIsTheWay(t *testing.T) {
	table := newTable(t, t.TempDir(), 1)
	often := map[uint64]int{}
	degrees := map[degree]int{}
	for range 1000 {
		d, key := wrapped(table)
		often[key]++
		degrees[d]++
	}
	require.Len(t, often, 1, "one place was taken for several")
	assert.Equal(t, rare, degrees[fresh])
	assert.InDelta(t, 40, degrees[glance], 30)
	assert.LessOrEqual(t, degrees[patient], 3)
	d, key := wrapped(table)
	assert.NotContains(t, often, key)
	assert.Equal(t, fresh, d)

	// Whoever comes later may race with what was done often before.
	newTable(t, table.dir, 2)
	again := 0
	for range 2 {
		if d, _ := wrapped(table); d == fresh {
			again++
		}
	}
	assert.Equal(t, 2, again)
}

func TestPlacesAreManyAndFew(t *testing.T) {
	table := newTable(t, t.TempDir(), 1)
	table.due(0)
	for n := range 3 * places { // more than there is room for
		table.placeOf(uint64(n)<<33|1).total++
	}
	d, _ := table.due(0)
	assert.NotEqual(t, unwatched, d)
}

// sleeper starts a process that sleeps until the end of the test.
func sleeper(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("/bin/cat")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		require.NoError(t, cmd.Wait())
	})
	return cmd.Process.Pid
}

// begin begins a patient watch on word 0, which is over once the channel is closed.
func begin(t *testing.T, table *Table, rank uint32) (w held, over chan struct{}) {
	t.Helper()
	table.waited.Store(true) // as if no relative could come
	w, ok := table.publish(0, read, glance, 1)
	require.True(t, ok)
	w.patient, w.rare, w.rank = true, true, rank
	over = make(chan struct{})
	go func() {
		table.await(w)
		close(over)
	}()
	for table.me.rank.Load() != rank { // it may be over by now
		time.Sleep(100 * time.Microsecond)
	}
	return w, over
}

// A patient watch ends if it was met, if the others rest or are gone, or if they have
// passed; and of two that are held it is the rarer one's turn.
func TestPatientWatchEnds(t *testing.T) {
	other := sleeper(t)
	for name, end := range map[string]func(one, two *Table){
		"met":     func(_, two *Table) { two.atomicAccess(0, write) },
		"resting": func(_, _ *Table) {},
		"gone":    func(_, two *Table) { two.detach() },
		"passed":  func(_, two *Table) { two.me.passes += passed },
		"held": func(_, two *Table) {
			two.me.rank.Store(8)
			two.me.holding.Add(1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			one, two := newTable(t, dir, os.Getpid()), newTable(t, dir, other)
			w, over := begin(t, one, 7)
			end(one, two)
			<-over
			one.withdraw(w)
			assert.Zero(t, one.me.holding.Load())
		})
	}
}

func TestWhoIsAwaited(t *testing.T) {
	dir := t.TempDir()
	one := newTable(t, dir, os.Getpid())
	assert.False(t, one.awaited(&others{}, false, 0), "nobody else is there")
	sleeping := newTable(t, dir, sleeper(t))
	for !resting(int(sleeping.pid)) {
		time.Sleep(time.Millisecond)
	}
	assert.False(t, one.awaited(&others{}, false, 3), "it is at rest")
	sleeping.me.holding.Add(1)
	sleeping.me.rank.Store(2)
	assert.True(t, one.awaited(&others{}, false, 3), "the other one's place is rarer")
	assert.False(t, one.awaited(&others{}, false, 1), "this one's place is rarer")
	sleeping.detach()
	assert.False(t, one.awaited(&others{}, false, 3), "it is gone")
}

// With two that wait for each other's turn, one has it.
func TestOneHasTheTurn(t *testing.T) {
	dir := t.TempDir()
	one, two := newTable(t, dir, os.Getpid()), newTable(t, dir, os.Getppid())
	for _, m := range []*participant{one.me, two.me} {
		m.holding.Add(1)
		m.rank.Store(1)
	}
	assert.NotEqual(t, one.awaited(&others{}, false, 1), two.awaited(&others{}, false, 1))
}

func TestResting(t *testing.T) {
	pid := sleeper(t)
	for !resting(pid) {
		time.Sleep(time.Millisecond)
	}
	assert.False(t, resting(os.Getpid()), "this process was at work")
	assert.True(t, resting(deadPID(t, false)), "a zombie")
	assert.True(t, resting(deadPID(t, true)), "nobody")
	assert.Contains(t, relatives(), pid)
	assert.Positive(t, cpuTime(os.Getpid()))
	assert.Zero(t, cpuTime(deadPID(t, true)))
}
