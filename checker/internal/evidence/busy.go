package evidence

// Busy is the processor time that processes took where it counts: while they had
// nothing to do, or while nothing was done.
type Busy struct {
	// Waiting are the processes that did not come to rest in a phase in which
	// the test had said that they only wait.
	Waiting []Burn `json:"waiting,omitempty"`
	// Stalled are all processes, at the time limit, since the test last made
	// progress by its own count. It is empty for a test that does not count.
	Stalled []Burn `json:"stalled,omitempty"`
}

// A Burn is what one process took of the processors in a span of time. All
// times are seconds, and exact: the kernel's scheduler counts nanoseconds.
type Burn struct {
	PID     int     `json:"pid"`
	Name    string  `json:"name,omitempty"`
	Wall    float64 `json:"wall"`
	CPU     float64 `json:"cpu"`              // all threads together
	Delay   float64 `json:"delay,omitempty"`  // it could have run, but others had the processors
	Held    float64 `json:"held,omitempty"`   // for how long that held up whoever of its threads had something to do
	Thread  int     `json:"thread,omitempty"` // the one that took most
	Wakeups uint64  `json:"wakeups"`          // how often a thread was put on a processor
	Rested  bool    `json:"rested,omitempty"` // it came to rest before the end
}

// Spinning reports whether the process never waited by sleeping: all of its
// time it ran or wanted to run, and each time that it got a processor it kept it
// for a while. A loaded machine moves time from CPU to Delay and changes nothing
// in their sum; but one that sleeps and looks in turn is then delayed too, each
// time for a moment's work.
func (b Burn) Spinning() bool {
	return !b.Rested && b.CPU+b.Delay > 0.5*b.Wall && b.CPU > 100e-6*float64(b.Wakeups)
}

// Own is the part of the time in which it could do what it wanted.
func (b Burn) Own() float64 { return max(0, b.Wall-b.Held) }

// Active reports whether it did something again and again, if only to look. A
// program at rest wakes a few times a minute, for its runtime's housekeeping.
func (b Burn) Active() bool {
	return !b.Rested && (b.Spinning() || b.Wakeups >= 40 && float64(b.Wakeups) >= 10*b.Own())
}
