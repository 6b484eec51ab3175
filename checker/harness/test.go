package harness

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"testing"

	"go.uber.org/goleak"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/trace"
	"prokata/checker/internal/tree/wire"
)

// Test begins the supervision of a test. It is the first statement of every
// top-level test of a kata; the supervision ends after the test's own cleanups.
func Test(t *testing.T) {
	t.Helper()
	if supervisor == nil || ownTest != "" {
		return
	}
	before := goleak.IgnoreCurrent()
	yes := supervisor.heard.Mark(true)
	canary := supervisor.ask(wire.Event{Kind: wire.Begin, Test: t.Name(), Source: supervisor.source}).Canary == yes
	t.Cleanup(func() {
		if canary {
			t.Error("this is no fault of the program under test: this time, the test had to fail")
		}
		way := unwinding()
		if way == "runtime.gopanic" {
			return // the process is about to crash, in the middle of this test
		}
		e := wire.Event{Kind: wire.End, Test: t.Name(), Status: evidence.Passed}
		switch {
		case t.Skipped():
			e.Status = evidence.Skipped
		case t.Failed():
			e.Status, e.Stopped = evidence.Failed, way == "runtime.Goexit"
		case way == "runtime.Goexit":
			e.Status, e.Gone = evidence.Failed, true
		}
		e.Goroutines = left(before)
		supervisor.ask(e)
		// The profile collects garbage, and so closes forgotten files: not before the
		// supervisor has seen them.
		if gs := unreachable(); len(gs) > 0 {
			supervisor.ask(wire.Event{Kind: wire.Unreachable, Test: t.Name(), Goroutines: gs})
		}
	})
}

// unwinding returns what makes this goroutine leave its functions, "runtime.gopanic" or
// "runtime.Goexit" (FailNow and SkipNow call it), or nothing if they return by
// themselves. Package testing runs the cleanups of a panic before it has marked the test
// as failed.
func unwinding() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for {
		f, more := frames.Next()
		if f.Function == "runtime.gopanic" || f.Function == "runtime.Goexit" {
			return f.Function
		}
		if !more {
			return ""
		}
	}
}

// left returns the goroutines that are still there although the test is over,
// after goleak has waited for them a growing while.
func left(before goleak.Option) []evidence.Goroutine {
	err := goleak.Find(before)
	if err == nil {
		return nil
	}
	// goleak waits for less than a second, in which a loaded machine may not have let a
	// goroutine come to its end.
	supervisor.ask(wire.Event{Kind: wire.Settle})
	if err = goleak.Find(before); err == nil {
		return nil
	}
	// A goroutine in goleak's report begins with
	//
	//	[Goroutine 7 in state chan receive, with main.f on top of the stack:
	//
	// It is compiled here, as every child process would pay for it at its start.
	leaked := regexp.MustCompile(`(?m)^ ?\[?Goroutine (\d+) in state`)
	ids := map[int]bool{}
	for _, m := range leaked.FindAllStringSubmatch(err.Error(), -1) {
		id, _ := strconv.Atoi(m[1])
		ids[id] = true
	}
	all, err := trace.Goroutines(stacks())
	if err != nil {
		return nil
	}
	var gs []evidence.Goroutine
	for _, g := range all {
		if ids[g.ID] {
			gs = append(gs, g)
		}
	}
	return gs
}

func stacks() string {
	for size := 64 << 10; ; size *= 2 {
		b := make([]byte, size)
		if n := runtime.Stack(b, true); n < size {
			return string(b[:n])
		}
	}
}

// A channel is the two pipes to the supervisor.
type channel struct {
	source  string // the sum of what this program was made of, if the checker built it
	said    *wire.Sealer
	heard   *wire.Sealer
	replies *bufio.Reader
}

// ask tells the supervisor and waits for its reply. A supervisor that is gone
// leaves nothing to run for.
func (c *channel) ask(e wire.Event) wire.Reply {
	line, err := c.said.Seal(e)
	if err == nil {
		_, err = descriptor(wire.EventFD).Write(line)
	}
	var r wire.Reply
	if err == nil {
		line, err = c.replies.ReadBytes('\n')
	}
	if err == nil {
		err = c.heard.Open(line, &r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the harness has lost its supervisor:", err)
		os.Exit(2)
	}
	return r
}
