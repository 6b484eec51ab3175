package spawn_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	spawn "prokata/katas/01-spawn"
)

// Output that is still on its way when the child has ended.

func init() {
	spawn.Register("burst", burst)
}

const burstLines = 100

// burst prints a line, and when its gate opens a hundred more: they all fit into
// its pipe, and nobody has to read any of them before it can end.
func burst(c spawn.Child) int {
	fmt.Fprintln(c.Out, "first")
	enter(c)
	for i := range burstLines {
		fmt.Fprintln(c.Out, i, strings.Repeat("x", 60))
	}
	return 0
}

// slowOut is busy with its first line until it is let go.
type slowOut struct {
	*out
	once       sync.Once
	busy, free chan struct{}
}

func newSlowOut() *slowOut {
	return &slowOut{out: newOut(), busy: make(chan struct{}), free: make(chan struct{})}
}

func (o *slowOut) Write(p []byte) (int, error) {
	o.once.Do(func() {
		close(o.busy)
		<-o.free
	})
	return o.out.Write(p)
}

// letGo lets the first Write return, and be it that of a failed test.
func (o *slowOut) letGo() {
	select {
	case <-o.free:
	default:
		close(o.free)
	}
}

// A line is being written, the child has ended, and the rest is in its pipe.
func TestSlowOut(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	job, child := s.alone("burst", "")
	o := newSlowOut()
	t.Cleanup(o.letGo)
	s.run(spawn.Group{Out: o}, job)
	child.arrives()
	s.wait(o.busy, "Out got a line")
	child.end()
	harness.Waiting(t, os.Getpid()) // now the program has done all that it does about that end
	require.False(t, s.returned(), "Run returned before what a child had printed was written to Out")
	o.letGo()
	_, err := s.end()
	require.NoError(t, err, "Run returned an error, though the child had ended by itself")
	assert.Equal(t, 1+burstLines, len(o.all()), "Out did not get all lines of a child that ended while Out was busy with its first one")
}
