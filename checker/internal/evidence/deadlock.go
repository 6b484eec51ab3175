package evidence

// A Deadlock is the proof that a group of processes can never go on.
type Deadlock struct {
	Expected bool   `json:"expected,omitempty"` // the test asked for it
	Waits    []Wait `json:"waits"`              // one or more a process, in the order of process IDs
	Circle   []int  `json:"circle,omitempty"`   // process IDs of one circle of waits, in order
}

// A Wait is one edge, or one dead end, of the wait-for graph.
type Wait struct {
	PID  int    `json:"pid"`
	Name string `json:"name,omitempty"`
	For  string `json:"for"`            // "lock", "pipe", "socket", "child", "futex", "signal", "goroutine", "stopped", "semaphore", "queue", "file", "ring"
	What string `json:"what,omitempty"` // the thing by name: a lock file's path, "pipe:[123]", "pid 45"
	On   []int  `json:"on,omitempty"`   // the processes that alone could end the wait
	Line *Frame `json:"line,omitempty"` // where it waits
}
