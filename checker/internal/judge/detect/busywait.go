package detect

import (
	"fmt"

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
				if b.Rested || !b.Active() {
					continue
				}
				f := Finding{
					Code: "busy-wait", Test: t.Name, PID: b.PID, Message: "a process of your program burnt processor time while it only waited",
					Detail: []string{told(b)}, Next: "let it sleep in the kernel until it is woken: a blocking read, a lock, a futex",
				}
				all = append(all, waiting(run, t, f))
				break // one is enough; the others do the same
			}
			if spinners := stalled(t); len(spinners) == 1 && spinners[0].Spinning() {
				all = append(all, waiting(run, t, Finding{
					Code: "busy-wait", Test: t.Name, PID: spinners[0].PID, Message: "a process of your program ran without a pause, and nothing was done",
					Detail: []string{told(spinners[0])}, Next: "look at what its loop waits for, and let it sleep until that comes",
				}))
			}
		}
		return all
	},
}

// told is what a process took, in words.
func told(b evidence.Burn) string {
	if b.Spinning() {
		return fmt.Sprintf("pid %d %q took %.2f s of processor time in %.2f s, without a moment's rest", b.PID, b.Name, b.CPU, b.Wall)
	}
	return fmt.Sprintf("pid %d %q woke %d times in %.2f s", b.PID, b.Name, b.Wakeups, b.Wall)
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
		if b.Wall < long {
			return nil
		}
		if b.Active() {
			busy = append(busy, b)
		}
	}
	return busy
}
