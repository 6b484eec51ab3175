package deadlock_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	deadlock "prokata/katas/08-deadlock"
)

// A script tells a directed philosopher where to stop.
type script struct {
	Said   int              // the descriptor to say it on
	Gates  []int            // the descriptor to wait on, by seat
	Stages []deadlock.Stage // where
	Meals  int              // in the first of the meals
}

// A word is what a philosopher says when it stops.
type word struct {
	PID, Seat, Meal, Stage, Wait int64
}

// A director decides from within the test when each philosopher goes on: at
// certain stages of the first meals, a philosopher says where it is and waits at
// its gate. This forces the order of things, whatever the scheduler does.
type director struct {
	t      testing.TB
	said   *os.File   // read end
	gates  []*os.File // write ends
	script script
	served chan struct{} // closed when Dine has returned
	dinner deadlock.Dinner
	err    error
}

// inherit makes a copy of f that every process started from now on inherits
// under the same number: the philosophers get it past the code under test.
func inherit(t testing.TB, f *os.File) int {
	t.Helper()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD, 100) // Fd also makes the end a blocking one
	require.NoError(t, err, "the test could not copy a descriptor")
	require.NoError(t, f.Close(), "Close failed")
	return fd
}

func direct(t testing.TB, seats, meals int, stages ...deadlock.Stage) *director {
	t.Helper()
	d := &director{t: t, served: make(chan struct{}), script: script{Stages: stages, Meals: meals}}
	r, w, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	d.said, d.script.Said = r, inherit(t, w)
	for range seats {
		r, w, err := os.Pipe()
		require.NoError(t, err, "the test could not make a pipe")
		d.gates = append(d.gates, w)
		d.script.Gates = append(d.script.Gates, inherit(t, r))
	}
	return d
}

// serve lets Dine begin.
func (d *director) serve(table deadlock.Table) {
	d.t.Helper()
	d.serveContext(context.Background(), table)
}

func (d *director) serveContext(ctx context.Context, table deadlock.Table) {
	d.t.Helper()
	table.Habit = "test-directed"
	arg, err := json.Marshal(d.script)
	require.NoError(d.t, err, "the test could not encode what it sends")
	table.Arg = string(arg)
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(d.served)
		d.dinner, d.err = deadlock.Dine(ctx, table)
		unix.Close(d.script.Said) // with all philosophers gone, nobody is left to speak
	}()
	d.t.Cleanup(func() {
		cancel()
		for _, g := range d.gates {
			g.Close()
		}
		<-d.served
		d.said.Close()
		for _, fd := range d.script.Gates {
			unix.Close(fd)
		}
	})
}

// hear waits for the next philosopher that stops.
func (d *director) hear() word {
	d.t.Helper()
	return d.heard(d.listen())
}

// listen waits for the next word in the background: see heard.
func (d *director) listen() chan said {
	next := make(chan said, 1)
	go func() {
		var s said
		s.err = binary.Read(d.said, binary.LittleEndian, &s.word)
		next <- s
	}()
	return next
}

// said is a word, or why there is none.
type said struct {
	word word
	err  error
}

// heard returns what listen waits for.
func (d *director) heard(next <-chan said) word {
	d.t.Helper()
	s := <-next
	if s.err != nil {
		<-d.served
		require.NoError(d.t, d.err, "Dine failed before its philosophers had gone through their meals")
		require.NoError(d.t, s.err, "Dine returned before its philosophers had gone through their meals")
	}
	return s.word
}

// hearAll waits for n of them and returns their words by seat.
func (d *director) hearAll(n int, stage deadlock.Stage) map[int]word {
	d.t.Helper()
	words := map[int]word{}
	for range n {
		w := d.hear()
		require.EqualValues(d.t, stage, w.Stage, "philosopher %d was at another stage (0 thinking, 1 reaching, 2 refused, 3 eating)", w.Seat)
		words[int(w.Seat)] = w
	}
	return words
}

// let lets philosophers go on. One that has died no longer needs it.
func (d *director) let(seats ...int) {
	for _, seat := range seats {
		d.gates[seat].Write([]byte{'.'})
	}
}

// free lets philosophers go on, now and whenever they come to their gates: none of them
// waits there again, nor says where it is.
func (d *director) free(seats ...int) {
	for _, seat := range seats {
		d.gates[seat].Close()
	}
}

// kill ends the philosopher that spoke.
func (d *director) kill(w word) {
	d.t.Helper()
	require.NotEqualValues(d.t, os.Getpid(), w.PID, "philosopher %d was not a process of its own", w.Seat)
	require.NoError(d.t, unix.Kill(int(w.PID), unix.SIGKILL), "the test could not send a signal: the process had ended too early")
}

// wait returns what Dine returned.
func (d *director) wait() (deadlock.Dinner, error) {
	<-d.served
	return d.dinner, d.err
}

// directed is the habit of a directed philosopher.
func directed(m deadlock.Moment) error {
	var s script
	if err := json.Unmarshal([]byte(m.Table.Arg), &s); err != nil {
		return err
	}
	if freed || m.Meal >= s.Meals || !slices.Contains(s.Stages, m.Stage) {
		return nil
	}
	w := word{int64(os.Getpid()), int64(m.Seat), int64(m.Meal), int64(m.Stage), int64(m.Wait)}
	b, err := binary.Append(nil, binary.LittleEndian, w)
	if err != nil {
		return err
	}
	if _, err := unix.Write(s.Said, b); err != nil { // one short write: never mixed with another's
		return err
	}
	for {
		n, err := unix.Read(s.Gates[m.Seat], b[:1])
		switch {
		case n == 1:
			return nil
		case n == 0 && err == nil: // the gate is open for good
			freed = true
			return nil
		case !errors.Is(err, unix.EINTR):
			return err
		}
	}
}

// freed is whether this process's philosopher has found its gate open for good.
var freed bool
