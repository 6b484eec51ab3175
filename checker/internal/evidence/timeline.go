package evidence

// A Timeline is what was seen of one test over time. All times are seconds since the
// test began. What the kernel told at its moment is exact; all else was sampled: it was
// so when somebody looked, and between two looks nobody knows. What is too much to keep
// is counted in Dropped, never silently lost.
type Timeline struct {
	Seconds float64 `json:"seconds"` // until nobody looked any more
	Lives   []Life  `json:"lives,omitempty"`
	Doings  []Doing `json:"doings,omitempty"` // in the order in which they were first seen
	Holds   []Hold  `json:"holds,omitempty"`
	Marks   []Mark  `json:"marks,omitempty"`
	Looks   int     `json:"looks,omitempty"`   // how often somebody looked at what the processes were doing
	Dropped int     `json:"dropped,omitempty"` // entries above the bounds
}

// A Life is one process from its start to its end.
type Life struct {
	PID    int     `json:"pid"`
	Parent int     `json:"parent,omitempty"` // who started it; 0 if that was not seen
	Name   string  `json:"name,omitempty"`   // its argument 0, or what the harness calls it
	Test   bool    `json:"test,omitempty"`   // it is the process of the test itself
	Began  Moment  `json:"began"`
	Ready  float64 `json:"ready,omitempty"`   // when it came to its own code, exactly; 0 if that was not told
	Ended  *Moment `json:"ended,omitempty"`   // none: it was there to the last
	Exit   string  `json:"exit,omitempty"`    // "exit status 0", "signal: killed"; empty if not known
	Zombie bool    `json:"zombie,omitempty"`  // it had ended, and was never seen to be waited for
	Adopt  *Moment `json:"adopted,omitempty"` // its parent had ended, and the supervisor got it
}

// A Moment is when something happened: not before After and not later than At. Of what
// is exact, After is not set.
type Moment struct {
	At    float64 `json:"at"`
	After float64 `json:"after,omitempty"`
	Exact bool    `json:"exact,omitempty"` // the kernel, or the harness, told of it as it happened
}

// A Doing is what a process was found doing at every look from the first to the last.
type Doing struct {
	PID  int     `json:"pid"`
	From float64 `json:"from"`
	To   float64 `json:"to"`
	Kind string  `json:"kind"`           // "running", or what it slept for: see DoingKinds
	What string  `json:"what,omitempty"` // the thing by name: "pipe:[123]", a lock file's path, "pid 45"
}

// DoingKinds are the kinds of a Doing, the most telling first: a process has many
// threads, and is shown by the one that says most.
var DoingKinds = []string{
	"running", // on a processor, or about to be
	"stopped", // by a signal, until another one
	"lock",    // asleep for a lock on a file
	"child",   // for the end of a child
	"pipe",    // for the other end of a pipe
	"socket",  // for the other end of a connection, or for a new one
	"shared",  // for a word in memory that it may share with others
	"queue",   // for a semaphore or a message queue
	"signal",  // for a signal
	"timer",   // for a clock
	"poll",    // for one of several descriptors
	"inside",  // for something of its own: of a Go program a channel, a lock, or nothing to do
}

// A Hold is a lock on a file that a process was seen to hold at every look from the
// first to the last.
type Hold struct {
	PID   int     `json:"pid"` // who took it; of an open file that several share, one of them
	Lock  string  `json:"lock"`
	Kind  string  `json:"kind"` // as Lock.Kind
	Write bool    `json:"write,omitempty"`
	From  float64 `json:"from"`
	To    float64 `json:"to"`
}

// A Mark is something that happened at one moment, and exactly then.
type Mark struct {
	At float64 `json:"at"`
	// Kind is "returned": the test's function; "judged": the test was ended for What;
	// "expected": What was found, as the test had asked; "signal": the supervisor sent What
	// to PID; "sent": the test did.
	Kind string `json:"kind"`
	PID  int    `json:"pid,omitempty"`  // 0: the test as a whole
	What string `json:"what,omitempty"` // "deadlock", "time", "SIGKILL"
}
