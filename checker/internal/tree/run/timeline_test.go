//go:build linux

package run

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/observe"
	"prokata/checker/internal/tree/wire"
)

// since lets the chronicle believe that so much time of the test has passed.
func (c *chronicle) since(d time.Duration) { c.zero = time.Now().Add(-d) }

func sight(doings ...evidence.Doing) observe.Sight { return observe.Sight{Doings: doings, Whole: true} }

func TestChronicleDoings(t *testing.T) {
	c := &chronicle{}
	c.begin(10, "TestX")
	lock := evidence.Doing{PID: 11, Kind: "lock", What: "/f"}
	for _, ms := range []time.Duration{100, 200, 300} {
		c.since(ms * time.Millisecond)
		c.saw(sight(lock))
	}
	c.since(2 * time.Second) // nobody has looked for long: what was between is not known
	c.saw(sight(lock))
	c.since(2100 * time.Millisecond)
	c.saw(sight(evidence.Doing{PID: 11, Kind: "running"}))
	line := c.take()
	require.Len(t, line.Doings, 3)
	assert.InDelta(t, 0.1, line.Doings[0].From, 0.05)
	assert.InDelta(t, 0.3, line.Doings[0].To, 0.05)
	assert.Equal(t, line.Doings[1].From, line.Doings[1].To)
	assert.Equal(t, "running", line.Doings[2].Kind)
	assert.Equal(t, 5, line.Looks)
	assert.Nil(t, c.take(), "a test has one timeline")
}

func TestChronicleHolds(t *testing.T) {
	c := &chronicle{}
	c.begin(10, "TestX")
	h := evidence.Hold{PID: 11, Lock: "/f", Kind: "flock", Write: true}
	c.saw(observe.Sight{Whole: true, Holds: []evidence.Hold{h}})
	c.saw(observe.Sight{}) // did not look at locks
	c.since(time.Second)
	c.saw(observe.Sight{Whole: true, Holds: []evidence.Hold{h}})
	c.saw(observe.Sight{Whole: true}) // given back
	c.saw(observe.Sight{Whole: true, Holds: []evidence.Hold{h}})
	line := c.take()
	require.Len(t, line.Holds, 2, "a lock that was given back between is held twice")
	assert.InDelta(t, 1, line.Holds[0].To, 0.1)
}

func TestChronicleLives(t *testing.T) {
	c := &chronicle{}
	c.begin(10, "TestX")
	there := func(processes ...evidence.Process) { c.there(processes, 1) }
	test := evidence.Process{PID: 10, Parent: 1, Name: "x.test", State: "S"}
	child := evidence.Process{PID: 11, Parent: 10, Name: "worker", State: "S"}
	c.started(wire.Child{PID: 11, Parent: 10, Name: "announced"}, 0)
	there(test, child)
	child.Parent = 1 // its parent has ended
	there(test, child)
	child.State = "Z"
	there(test, child)
	c.known([]evidence.Process{{PID: 12, Parent: 10, Name: "quick"}})
	lives := c.take().Lives
	require.Len(t, lives, 3)
	assert.True(t, lives[0].Test)
	assert.Nil(t, lives[0].Ended)
	assert.Equal(t, "announced", lives[1].Name, "the harness's name says more than argument 0")
	assert.Equal(t, 10, lives[1].Parent, "who started it stays")
	assert.NotNil(t, lives[1].Adopt)
	assert.True(t, lives[1].Zombie)
	assert.NotNil(t, lives[1].Ended)
	assert.Equal(t, "quick", lives[2].Name, "known to the hooks alone")
	assert.Less(t, lives[2].Began.After, lives[2].Began.At, "nobody knows when")
}

// A number that is used again is another process.
func TestChronicleNumberAgain(t *testing.T) {
	c := &chronicle{}
	c.begin(10, "TestX")
	c.started(wire.Child{PID: 11, Parent: 10, Name: "first"}, 0)
	c.ended(11, "exit status 0")
	c.started(wire.Child{PID: 11, Parent: 10, Name: "second"}, 0)
	c.ended(11, "exit status 3")
	lives := c.take().Lives
	require.Len(t, lives, 3)
	assert.Equal(t, "exit status 0", lives[1].Exit)
	assert.Equal(t, "exit status 3", lives[2].Exit)
}

// What the processes do after the judgement is the supervisor's doing, and no test's.
func TestChronicleJudged(t *testing.T) {
	c := &chronicle{}
	c.begin(10, "TestX")
	c.started(wire.Child{PID: 11, Parent: 10}, 0)
	c.judged("deadlock")
	c.signal(11, 3)
	c.ended(11, "exit status 2")
	c.saw(sight(evidence.Doing{PID: 11, Kind: "running"}))
	line := c.take()
	assert.Nil(t, line.Lives[1].Ended)
	assert.Empty(t, line.Doings)
	require.Len(t, line.Marks, 2)
	assert.Equal(t, "SIGQUIT", line.Marks[1].What)
}

// A program that starts processes without end does not fill the evidence, and what is
// left out is counted.
func TestChronicleBounds(t *testing.T) {
	c := &chronicle{}
	c.begin(1, "TestX")
	for pid := 2; pid < 2+2*mostDoings; pid++ {
		c.started(wire.Child{PID: pid, Parent: 1}, 0)
		c.saw(observe.Sight{Whole: true, Doings: []evidence.Doing{{PID: pid, Kind: "running"}}, Holds: []evidence.Hold{{PID: pid}}})
		c.signal(pid, 9)
	}
	line := c.take()
	assert.Len(t, line.Lives, mostLives)
	assert.Len(t, line.Doings, mostDoings)
	assert.Len(t, line.Holds, mostHolds)
	assert.Len(t, line.Marks, mostMarks)
	assert.Positive(t, line.Dropped)
}

// The kernel tells the end of a process as it comes, and how it ended, whether its parent
// has collected it by then or not.
func TestFollow(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for _, row := range []struct{ name, script, exit string }{
		{"status", "read x; exit 7", "exit status 7"},
		{"signal", "read x; kill -TERM $$", "signal: terminated"},
	} {
		t.Run(row.name, func(t *testing.T) {
			line := &chronicle{}
			line.begin(os.Getpid(), "TestX")
			s, err := newStarts(t.TempDir(), self, nil, line)
			require.NoError(t, err)
			defer s.close()
			cmd := exec.Command("sh", "-c", row.script)
			in, err := cmd.StdinPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			parent, ticks := birth(cmd.Process.Pid)
			assert.Equal(t, os.Getpid(), parent)
			line.started(wire.Child{PID: cmd.Process.Pid, Parent: parent}, ticks)
			s.follow(cmd.Process.Pid)
			in.Close()
			life := func() evidence.Life {
				line.mu.Lock()
				defer line.mu.Unlock()
				return line.line.Lives[1]
			}
			require.Eventually(t, func() bool { return life().Ended != nil }, time.Minute, time.Millisecond)
			assert.True(t, life().Ended.Exact)
			assert.Equal(t, row.exit, life().Exit)
			_ = cmd.Wait()
		})
	}
}

func TestParseExit(t *testing.T) {
	line := "4312 (my) worker) Z 4300 4300 4300 0 -1 4227084 95 0 0 0 0 0 0 0 20 0 1 0 98713 0 0 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 1792"
	status, ok := parseExit([]byte(line))
	assert.True(t, ok)
	assert.Equal(t, "exit status 7", exitText(status))
	_, ok = parseExit([]byte("4312 (worker) S 1"))
	assert.False(t, ok, "it lives")
	_, ok = parseExit(nil)
	assert.False(t, ok)
}
