package watch

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/evidence"
)

func TestStateHoldsItsParts(t *testing.T) {
	for _, o := range []op{read, write} {
		s := watchState(o, pidMask, wordMask, serialMask)
		assert.Equal(t, watching, s.phase())
		assert.Equal(t, o.writes(), s.watchWrite())
		assert.EqualValues(t, pidMask, s.watcher())
		assert.EqualValues(t, wordMask, s.word())

		c := s.claim(atomicWrite, 1)
		assert.Equal(t, claimed, c.phase())
		assert.EqualValues(t, pidMask, c.watcher())
		assert.EqualValues(t, 1, c.other())
		assert.Zero(t, c&(watcherDone|otherDone))
		assert.Equal(t, s&serialMask, c&serialMask)
	}
	assert.EqualValues(t, 5, watchState(read, 5, 7, 9).watcher())
	assert.EqualValues(t, 7, watchState(read, 5, 7, 9).word())
}

// newTable returns a process's view of a table, as the process with that pid.
func newTable(t *testing.T, dir string, pid int) *Table {
	t.Helper()
	table, err := openTable(dir, "file", pid)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, table.Close()) })
	return table
}

func races(t *testing.T, dir string) []evidence.SharedRace {
	t.Helper()
	found, err := Read(dir, 0, -1)
	require.NoError(t, err)
	return found
}

func TestMeeting(t *testing.T) {
	for _, c := range []struct {
		name          string
		watched, came op
		word          int
		race          bool
	}{
		{"two writes", write, write, 3, true},
		{"read, then write", read, write, 3, true},
		{"write, then read", write, read, 3, true},
		{"two reads", read, read, 3, false},
		{"read, then atomic read", read, atomicRead, 3, false},
		{"read, then atomic write", read, atomicWrite, 3, true},
		{"write, then atomic read", write, atomicRead, 3, true},
		{"another word of the slot", write, write, 3 + sets, false},
		{"a word of another slot", write, write, 4, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			one, two := newTable(t, dir, os.Getpid()), newTable(t, dir, os.Getppid())
			w, ok := one.publish(3, c.watched, glance, 1)
			require.True(t, ok)
			two.atomicAccess(c.word, c.came)
			two.atomicAccess(c.word, c.came) // a claimed watch is met no more
			assert.Empty(t, races(t, dir), "a race was told before the watcher had confirmed it")
			one.withdraw(w)

			got := races(t, dir)
			assert.Zero(t, one.at(3), "the slot stayed taken")
			if !c.race {
				assert.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			for i := range got[0].Accesses {
				require.NotEmpty(t, got[0].Accesses[i].Frames)
				got[0].Accesses[i].Frames = nil
			}
			want := evidence.SharedRace{Word: 3, Accesses: []evidence.Access{
				{Op: c.watched.String(), PID: os.Getpid()}, {Op: c.came.String(), PID: os.Getppid()},
			}}
			if diff := cmp.Diff(want, got[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// at returns the state of the first slot for word i.
func (t *Table) at(i int) state { return state(t.state[i%sets*ways].Load()) }

// race makes one table meet the other's watch.
func race(t *testing.T, one, two *Table) {
	t.Helper()
	w, ok := one.publish(0, write, glance, 1)
	require.True(t, ok)
	two.atomicAccess(0, write)
	one.withdraw(w)
}

func TestEachPairOfLinesIsToldOnce(t *testing.T) {
	dir := t.TempDir()
	one, two := newTable(t, dir, os.Getpid()), newTable(t, dir, os.Getppid())
	for range 3 {
		race(t, one, two)
	}
	require.Len(t, races(t, dir), 1)
	require.NoError(t, Forget(dir))
	race(t, one, two)
	require.Len(t, races(t, dir), 2)
}

// The other side may complete its half after the watcher did.
func TestSecondHalfReports(t *testing.T) {
	dir := t.TempDir()
	one, two := newTable(t, dir, os.Getpid()), newTable(t, dir, os.Getppid())
	w, ok := one.publish(0, read, glance, 1)
	require.True(t, ok)
	mine := w.state.claim(write, two.pid)
	require.True(t, two.state[0].CompareAndSwap(uint64(w.state), uint64(mine)))
	one.withdraw(w)
	assert.Empty(t, races(t, dir))
	assert.NotZero(t, one.at(0))
	two.other[0].Store(7)
	two.write(0, 1, write)
	two.complete(0, otherDone, func(s state) bool { return s&^watcherDone == mine }, 0)
	assert.Len(t, races(t, dir), 1)
	assert.Zero(t, one.at(0))
}

// deadPID returns the process ID of a child that has ended: as a zombie, or
// waited for.
func deadPID(t *testing.T, waited bool) int {
	t.Helper()
	cmd := exec.Command("/bin/cat")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	in.Close()
	_, err = out.Read(make([]byte, 1)) // its end
	require.Error(t, err)
	if waited {
		require.NoError(t, cmd.Wait())
	} else {
		for !zombie(cmd.Process.Pid) {
			time.Sleep(time.Millisecond)
		}
		t.Cleanup(func() { _ = cmd.Wait() })
	}
	return cmd.Process.Pid
}

// A process that is killed while it watches must neither cause a report nor
// keep the slot.
func TestKilledWatcher(t *testing.T) {
	for name, waited := range map[string]bool{"waited for": true, "zombie": false} {
		t.Run(name, func(t *testing.T) {
			if _, err := os.Stat("/proc/self/stat"); err != nil && !waited {
				t.Skip("this system does not tell a zombie")
			}
			for _, met := range []bool{false, true} {
				dir := t.TempDir()
				gone, here := newTable(t, dir, deadPID(t, waited)), newTable(t, dir, os.Getpid())
				fill(t, gone, write)
				if met {
					here.atomicAccess(0, write)
				}
				_, ok := here.publish(0, write, glance, 1)
				assert.False(t, ok, "the watch was too young to ask")
				gone.since[0].Store(0)
				_, ok = here.publish(0, write, glance, 1)
				require.False(t, ok)
				w, ok := here.publish(0, write, glance, 1)
				require.True(t, ok, "the slot was not reclaimed")
				here.withdraw(w)
				assert.Empty(t, races(t, dir))
			}
		})
	}
}

// fill takes every slot for word 0, and returns the first watch.
func fill(t *testing.T, table *Table, o op) held {
	t.Helper()
	first, ok := table.publish(0, o, glance, 1)
	require.True(t, ok)
	for range ways - 1 {
		_, ok := table.publish(0, o, glance, 1)
		require.True(t, ok)
	}
	return first
}

// A process that was stopped for long and lives keeps its watch, and one that
// comes back to a slot that is another's changes nothing.
func TestLongWatch(t *testing.T) {
	dir := t.TempDir()
	one, two := newTable(t, dir, os.Getpid()), newTable(t, dir, os.Getppid())
	w := fill(t, one, write)
	one.since[0].Store(0)
	_, ok := two.publish(0, write, glance, 1)
	require.False(t, ok)
	_, ok = two.publish(0, write, glance, 1)
	require.False(t, ok, "the watch of a living process was taken away")

	one.state[0].Store(free)
	v, ok := two.publish(0, read, glance, 1)
	require.True(t, ok)
	one.withdraw(w)
	assert.Equal(t, v.state, two.at(0), "a watch was withdrawn by another process")
	two.withdraw(v)
	assert.Zero(t, two.at(0))
	assert.Empty(t, races(t, dir))
}

func TestBudget(t *testing.T) {
	table := newTable(t, t.TempDir(), 1)
	const cost = 10 * time.Microsecond
	spend := func(now int64) (n int) {
		for table.glances.afford(now, cost, 0, allowance) {
			n++
		}
		return n
	}
	now := int64(time.Hour)
	assert.InDelta(t, float64(allowance/cost), spend(now), 1)
	assert.Zero(t, spend(now))
	now += int64(share * 100 * cost)
	assert.Equal(t, 100, spend(now), "a share of the time")
	now += int64(time.Hour)
	assert.InDelta(t, float64(allowance/cost), spend(now), 1, "what was not spent is not saved")
	table.glances.charge(5 * cost)
	assert.Zero(t, spend(now+int64(share*5*cost)), "a watch that ran over its time is charged for it")
}

func TestRecord(t *testing.T) {
	dir := t.TempDir()
	require.Empty(t, races(t, dir), "there is no record yet")
	put := func(word int) {
		require.NoError(t, appendLine(filepath.Join(dir, RacesFile), evidence.SharedRace{Word: word, Accesses: make([]evidence.Access, 2)}))
	}
	size := func() int64 {
		n, err := Size(dir)
		require.NoError(t, err)
		return n
	}
	require.Zero(t, size())
	put(0)
	from := size()
	put(1)
	put(2)
	to := size()
	put(3)
	f, err := os.OpenFile(filepath.Join(dir, RacesFile), os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"word":4,"acc`)
	require.NoError(t, err)
	require.NoError(t, f.Close())

	expected := map[int]bool{}
	text, err := os.ReadFile(filepath.Join(dir, RacesFile))
	require.NoError(t, err)
	for _, r := range Races(text, 0, [][2]int64{{from, to}}) {
		expected[r.Word] = r.Expected
	}
	assert.Equal(t, []evidence.SharedRace{{Word: 3, Accesses: make([]evidence.Access, 2)}}, Races(text[to:], to, [][2]int64{{from, to}}), "a part of it")
	assert.Equal(t, map[int]bool{0: false, 1: true, 2: true, 3: false}, expected)
	part, err := Read(dir, from, to)
	require.NoError(t, err)
	assert.Len(t, part, 2)
}

func TestLinesDoNotMix(t *testing.T) {
	path := filepath.Join(t.TempDir(), RacesFile)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				assert.NoError(t, appendLine(path, strings.Repeat(string(rune('a'+i)), 3000)))
			}
		})
	}
	wg.Wait()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	require.Len(t, lines, 400)
	for _, l := range lines {
		var s string
		require.NoError(t, json.Unmarshal([]byte(l), &s))
		require.Len(t, s, 3000)
		require.Equal(t, 3000, strings.Count(s, s[:1]))
	}
}

func TestDeepStackFits(t *testing.T) {
	dir := t.TempDir()
	one, two := newTable(t, dir, os.Getpid()), newTable(t, dir, os.Getppid())
	var deep func(n int)
	deep = func(n int) {
		if n > 0 {
			deep(n - 1)
			return
		}
		race(t, one, two)
	}
	deep(100)
	require.Len(t, races(t, dir), 1)
}

// Outside of a check nothing is opened; in one, everybody gets the same table,
// whoever comes first.
func TestOpen(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "memory"))
	require.NoError(t, err)
	defer f.Close()
	t.Setenv(Env, "")
	table, err := Open(int(f.Fd()))
	require.NoError(t, err)
	require.Nil(t, table)
	require.NoError(t, table.Close())

	t.Setenv(Env, filepath.Join(t.TempDir(), "missing"))
	_, err = Open(int(f.Fd()))
	require.ErrorIs(t, err, os.ErrNotExist)

	dir := t.TempDir()
	t.Setenv(Env, dir)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			table, err := Open(int(f.Fd()))
			if assert.NoError(t, err) {
				table.header.held.Add(1)
				assert.NoError(t, table.Close())
			}
		})
	}
	wg.Wait()
	n, err := Watches(dir, int(f.Fd()))
	require.NoError(t, err)
	assert.EqualValues(t, 8, n)
}
