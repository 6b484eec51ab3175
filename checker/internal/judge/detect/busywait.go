package detect

import (
	"fmt"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
)

var busyWait = Detector{
	Code:  "busy-wait",
	Title: "waiting burns CPU",
	Doc: `A process that had nothing to do but to wait never came to rest: it asked again and
again whether it may go on. That takes the processor from the very process that it
waits for, and with more waiters than processors everything stands still. Whoever waits
should sleep in the kernel until somebody wakes it.

WRONG   for !done() {}                           // spins
WRONG   for !done() { time.Sleep(time.Millisecond) }
RIGHT   conn.Read(buf)                           // returns when there is something to read
RIGHT   unix.Flock(fd, unix.LOCK_EX)             // sleeps until the lock is free

A few turns of a loop before one goes to sleep are no mistake.`,
	Detect: func(run evidence.Run) []Finding {
		var all []Finding
		for _, t := range run.Tests {
			if t.Busy == nil {
				continue
			}
			for _, b := range t.Busy.Waiting {
				if b.Rested || b.Wakeups < few && b.CPU < 1 {
					continue
				}
				f := Finding{
					Code: "busy-wait", Test: t.Name, PID: b.PID, Message: "a process of your program burnt processor time while it only waited",
					Detail: []string{told(b)}, Next: "let it sleep in the kernel until it is woken: a blocking read, a lock, a futex",
				}
				all = append(all, busyAt(run, t, f, t.Busy.Waiting...))
				break // one is enough; the others do the same
			}
			if spinners := stalled(t); len(spinners) == 1 && spinners[0].Spinning() {
				all = append(all, busyAt(run, t, Finding{
					Code: "busy-wait", Test: t.Name, PID: spinners[0].PID, Message: "a process of your program ran without a pause, and nothing was done",
					Detail: []string{told(spinners[0])}, Next: "look at what its loop waits for, and let it sleep until that comes",
				}, spinners[0]))
			}
		}
		return all
	},
}

// few is how often a program at rest may wake, for its runtime's housekeeping.
const few = 40

// busyAt adds where the busy process was: in the goroutine in which a test or a child's
// entry called the program, before one that the program started by itself; in one that
// ran, before one that slept for a moment. Of another program it is the place where it
// was started.
func busyAt(run evidence.Run, t evidence.Test, f Finding, busy ...evidence.Burn) Finding {
	best := 2 * len(busyStates)
	for _, s := range t.Stacks {
		of := slices.IndexFunc(busy, func(b evidence.Burn) bool { return b.PID == s.PID })
		if of < 0 {
			continue
		}
		for _, g := range s.Goroutines {
			frame, ok := learner(run, g.Frames)
			rank := slices.IndexFunc(busyStates, func(state string) bool { return strings.HasPrefix(g.State, state) })
			if !ok || rank < 0 {
				continue
			}
			if !slices.ContainsFunc(g.Frames, func(f evidence.Frame) bool { return strings.HasSuffix(f.File, "_test.go") }) {
				rank += len(busyStates)
			}
			if rank < best {
				best = rank
				f.File, f.Line, f.PID = frame.File, frame.Line, s.PID
				f.Detail = []string{told(busy[of]), fmt.Sprintf("it was at %s:%d, in %s (%s)", frame.File, frame.Line, frame.Func, g.State)}
			}
		}
	}
	if f.File != "" {
		return f
	}
	for _, p := range t.Processes {
		if p.PID == f.PID && p.Opened != nil {
			return opened(run, f, "process", "started", p.Opened, nil)
		}
	}
	return waiting(run, t, f)
}

// busyStates are the states of a goroutine that never rests, the most telling first.
var busyStates = []string{"running", "runnable", "syscall", "sleep", "select", "IO wait", "semacquire", "sync.", "chan"}

// told is what a process took, in words.
func told(b evidence.Burn) string {
	if b.Spinning() {
		return fmt.Sprintf("pid %d %q took %.2f s of processor time without a moment's rest, and nothing changed meanwhile", b.PID, b.Name, b.CPU)
	}
	return fmt.Sprintf("pid %d %q woke %d times in %.2f s, and nothing changed meanwhile", b.PID, b.Name, b.Wakeups, b.Own())
}

// long is how many seconds without progress count as a standstill.
const long = 2

// stalled returns the processes that were busy from the last progress of a test
// to its time limit. There are none where the test made progress lately, or
// does not count it: then nobody can tell work from waiting.
func stalled(t evidence.Test) []evidence.Burn {
	if t.Busy == nil || t.Limit == nil || t.Limit.Kind != "time" {
		return nil
	}
	var busy []evidence.Burn
	for _, b := range t.Busy.Stalled {
		if b.Own() < long {
			return nil
		}
		if b.Active() {
			busy = append(busy, b)
		}
	}
	return busy
}
