package run

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/observe"
	"prokata/checker/internal/tree/wire"
)

// A test's time is not the machine's. What counts is what the program did with it: the
// processor time that it took, and the time in which it slept by its own choice. While
// it waits for a processor, for a quota or for memory, no clock runs.
//
// Each of the two has the kata's bound of seconds, that of processor time for a machine
// on which a child starts as fast as in usual or known: it grows with what one costs here.

const (
	// usual is the processor time that the start of one child of a test binary takes on
	// the machine for which the bounds of the katas are meant; usualRace is that of one
	// built with the race detector.
	usual, usualRace = 3 * time.Millisecond, 12 * time.Millisecond
	// slowest bounds the factor, so that a loop without end ends on any machine.
	slowest = 20
	// hopeless is how many times the sum of both bounds may pass on the wall until
	// nothing more is to be hoped for.
	hopeless = 8
	// givenUp is how many tests are tried that cannot be judged; those after them
	// would fare no better.
	givenUp = 3
)

// slowness is how many times slower than usual this machine is at what the tests do:
// starting a program, with the page faults that this takes. The error is that the
// program does not even start here; no code of a learner's has run by then.
func slowness(ctx context.Context, job Job) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // a machine that needs longer is among the slowest
	defer cancel()
	cmd := exec.CommandContext(ctx, job.Binary)
	cmd.Env = environment(map[string]string{wire.RoleEnv: wire.Calibrate, "GORACE": "atexit_sleep_ms=0"}, Job{}.keeps)
	cmd.WaitDelay = time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := job.Box.start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	switch {
	case ctx.Err() != nil:
		return slowest, nil
	case err != nil:
		line, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return 1, fmt.Errorf("the tests' program does not start on this machine: %w %s", err, line)
	}
	return factor(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), job.Race), nil
}

func factor(start time.Duration, race bool) float64 {
	should := usual
	if race {
		should = usualRace
	}
	return min(max(1, start.Seconds()/should.Seconds()), slowest)
}

// overTime says which bound of time a test has gone over, or why nothing can be said of
// it.
func overTime(seconds int, slow float64, spent observe.Spent) (limit *evidence.Limit, unjudged string) {
	bound := time.Duration(seconds) * time.Second
	work := time.Duration(slow * float64(bound))
	l := &evidence.Limit{
		Kind: "time", Bound: int64(seconds), Unit: "s",
		CPU: spent.CPU.Seconds(), Rest: spent.Rest.Seconds(), Denied: spent.Denied.Seconds(), Slow: slow,
	}
	switch {
	case spent.Rest > bound:
		l.Seen = int64(spent.Rest.Seconds())
		return l, ""
	case spent.CPU > work:
		l.Bound, l.Seen = int64(work.Seconds()), int64(spent.CPU.Seconds())
		return l, ""
	case spent.Wall > hopeless*(bound+work):
		return nil, fmt.Sprintf("the machine is too slow (%s)", observe.Machine())
	}
	return nil, ""
}

// allTests is how many times the bound of one test all tests of a run may use.
const allTests = 10

// overRun says which bound of time the tests of a run have gone over together, if one: each
// may use its own to the last second, but not all of them.
func overRun(seconds int, slow float64, used observe.Spent) *evidence.Limit {
	limit, _ := overTime(allTests*seconds, slow, observe.Spent{CPU: used.CPU, Rest: used.Rest})
	return limit
}

// spent is what the test has done with its time so far.
func (s *session) spent() observe.Spent {
	// A look that comes late tells that this process did not get to look.
	now := s.account.Look(2 * slowPace)
	return observe.Spent{
		CPU: now.CPU - s.had.CPU, Rest: now.Rest - s.had.Rest, Denied: now.Denied - s.had.Denied, Wall: now.Wall - s.had.Wall,
	}
}

func newAccount() *observe.Account { return observe.NewAccount(os.Getpid()) }

// unjudge ends a test of which nothing can be said.
func (s *session) unjudge(why string) {
	s.finish(evidence.Aborted, func(t *evidence.Test) { t.Unjudged = why })
	s.kill()
}
