package observe

import "time"

// A Spent is what a tree of processes has done with its time, as far as that is its
// own doing.
type Spent struct {
	// CPU is the processor time that it took, of all processes together, those that
	// have ended included.
	CPU time.Duration
	// Rest is for how long nothing of it ran or could have run: it slept, by its own
	// choice. Where in doubt, a span is not counted.
	Rest time.Duration
	// Denied is for how long it could not do what it wanted, because of the machine:
	// others had the processors, a quota was used up, memory had to be won back.
	Denied time.Duration
	// Wall is the time on the wall.
	Wall time.Duration
}
