package detect

import (
	"fmt"

	"prokata/checker/internal/evidence"
)

var livelock = Detector{
	Code:  "livelock",
	Title: "all busy, nothing done",
	Doc: `Several processes were busy until the time was over, and none of them got anything
done: each takes a step back because of the other, at the same time, and again. Nobody
waits, so it is no deadlock; nobody gets on, either.

WRONG   for !try(second) { release(first); acquire(first) }      // all in step
RIGHT   for !try(second) {
            release(first)
            time.Sleep(time.Duration(rand.Int64N(int64(pause)))) // out of step
            pause *= 2
            acquire(first)
        }

Better still is an order of the locks: then nobody has to step back.`,
	Detect: func(run evidence.Run) []Finding {
		var all []Finding
		for _, t := range run.Tests {
			busy := stalled(t)
			if len(busy) < 2 {
				continue
			}
			f := Finding{
				Code: "livelock", Test: t.Name, PID: busy[0].PID, Message: "the processes of your program were busy, and nothing was done",
				Next: "let them step back for random, growing times, or take the locks in one order",
			}
			f.Detail = append(f.Detail, fmt.Sprintf("for %.1f s the test saw no progress, while %d processes ran or woke again and again", busy[0].Wall, len(busy)))
			for _, b := range busy[:min(len(busy), 4)] {
				f.Detail = append(f.Detail, told(b))
			}
			all = append(all, waiting(run, t, f))
		}
		return all
	},
}
