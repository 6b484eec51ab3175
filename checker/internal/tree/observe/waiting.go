package observe

import "time"

// Bounds of Waiting. They are counted in what a process takes, so that a loaded
// machine makes a decision later, never another one.
const (
	// enoughCPU is more than a program needs to come to where it waits: a race
	// build takes some 20 ms to start.
	enoughCPU = 300 * time.Millisecond
	// enoughWakeups in no less than enoughTime, in which it could have run, tell
	// a loop that looks and sleeps from the last steps on the way to rest.
	enoughWakeups = 40
	enoughTime    = time.Second
	// calm is how long a process without a timer must be still to be at rest,
	// calmTimer how long one with a timer: a loop that sleeps for longer than
	// that costs next to nothing.
	calm      = 30 * time.Millisecond
	calmTimer = 200 * time.Millisecond
	// patient is when a process that is neither is let go.
	patient = 15 * time.Second
)
