// Package evidence is the vocabulary of what was seen while a kata's tests ran:
// plain values, made by package run and read by the detectors. It imports the
// standard library alone, and every value survives a round trip through JSON, so
// that a recorded run can be judged again, elsewhere and later.
package evidence

import "fmt"

// Version is the version of the recorded form; it changes when a field changes
// its meaning.
const Version = 1

// A Run is everything that was seen while the tests of one kata ran once.
type Run struct {
	Version   int      `json:"version"`
	Kata      string   `json:"kata"`   // the kata's folder: "01-spawn"
	Source    string   `json:"source"` // the folder under test, as a person would name it
	Seed      uint64   `json:"seed"`
	RaceBuild bool     `json:"race_build"`
	Go        string   `json:"go"`               // "go1.26.8"
	Platform  string   `json:"platform"`         // "linux/amd64"
	Policy    []Breach `json:"policy,omitempty"` // what the source holds that it should not; if any is refused, nothing was built
	Build     Build    `json:"build"`
	Sites     []Site   `json:"sites,omitempty"` // where the source under test makes things that can leak
	Steps     []Step   `json:"steps,omitempty"` // of the kata, if it is climbed in steps
	Tests     []Test   `json:"tests"`
	Output    string   `json:"output,omitempty"`    // what was printed outside of any test, cut to a limit
	Exit      string   `json:"exit,omitempty"`      // how the first test process ended that did not succeed, else "exit status 0"
	Tampering []string `json:"tampering,omitempty"` // why nothing counts that its tests said
	Unchecked []string `json:"unchecked,omitempty"` // codes of the findings that this system cannot look for
	Fault     string   `json:"fault,omitempty"`     // why the checker could not do its work
	Sandbox   *Sandbox `json:"sandbox,omitempty"`   // what the source was built and run in; nil: in none
	Seconds   float64  `json:"seconds"`
	Cost      Cost     `json:"cost"`
}

// A Sandbox says what walls stood around the code under test.
type Sandbox struct {
	Tier    string  `json:"tier"`              // "full", "strong", "none"
	Missing string  `json:"missing,omitempty"` // the layer that is first missing for the next better tier
	Layers  []Layer `json:"layers,omitempty"`
}

// A Layer is one part of a sandbox, as it was tried.
type Layer struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Why  string `json:"why,omitempty"` // not, if it is not OK
}

// A Breach is a place at which the source breaks a rule of what a submission may
// hold, by its syntax alone.
type Breach struct {
	File    string `json:"file"`           // as the learner knows it
	Line    int    `json:"line,omitempty"` // 0: the file as a whole
	Rule    string `json:"rule"`           // "import", "init", "pragma"
	Message string `json:"message"`        // what is there, and why it should not be
	Refused bool   `json:"refused,omitempty"`
	Mistake bool   `json:"mistake,omitempty"` // refused, but such as an honest person makes
}

// Place is the file, and the line if one is meant.
func (b Breach) Place() string {
	if b.Line > 0 {
		return fmt.Sprintf("%s:%d", b.File, b.Line)
	}
	return b.File
}

// Build says how the compilation went.
type Build struct {
	OK      bool    `json:"ok"`
	Output  string  `json:"output,omitempty"` // the compiler's own words, in the learner's paths
	Seconds float64 `json:"seconds"`
}

// Cost is processor time in seconds, of the supervisor and of all that it
// watched.
type Cost struct {
	Supervisor float64 `json:"supervisor"`
	Watched    float64 `json:"watched"`
}

// A Step is one promise more than the step before it keeps.
type Step struct {
	Name  string `json:"name"`
	Goal  string `json:"goal"`
	Group string `json:"group"`
}

// Status says how a test ended.
type Status string

// The ways in which a test ends. A test that never began has the empty status.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Skipped Status = "skipped"
	Aborted Status = "aborted" // it began and did not come to its end
)

// A Test is what was seen between the begin and the end of one test.
type Test struct {
	Name        string       `json:"name"`
	Group       string       `json:"group"`
	Step        int          `json:"step,omitempty"`  // of the run's steps, from 1; 0 in a kata without steps
	Needs       int          `json:"needs,omitempty"` // child processes that it must see
	Status      Status       `json:"status"`
	Seconds     float64      `json:"seconds"`
	Output      string       `json:"output,omitempty"`       // what it printed, assertions included, cut to a limit
	Stopped     bool         `json:"stopped,omitempty"`      // its own function was left at a line of FailNow
	Todo        []string     `json:"todo,omitempty"`         // unwritten functions that it met
	Processes   []Process    `json:"processes,omitempty"`    // every child process that was seen
	ChildFaults int64        `json:"child_faults,omitempty"` // page faults of ended and waited-for children, by the kernel's count
	Left        Left         `json:"left"`                   // what was left over at its end
	Races       []Race       `json:"races,omitempty"`
	SharedRaces []SharedRace `json:"shared_races,omitempty"`
	Crashes     []Crash      `json:"crashes,omitempty"`
	Exit        string       `json:"exit,omitempty"` // aborted: how the test process ended: "exit status 2", "signal: killed"
	Limit       *Limit       `json:"limit,omitempty"`
	Deadlock    *Deadlock    `json:"deadlock,omitempty"`
	Partial     *Deadlock    `json:"partial,omitempty"`  // at the time limit: processes that wait for each other alone
	Snapshot    *Snapshot    `json:"snapshot,omitempty"` // the tree as the deadlock was proved, or at the time limit
	Busy        *Busy        `json:"busy,omitempty"`
	Stacks      []Stacks     `json:"stacks,omitempty"`   // of every process, when the supervisor ended the test
	Openings    []Opening    `json:"openings,omitempty"` // who opened what of the snapshot, and started whom, in order
	Unearned    string       `json:"unearned,omitempty"` // failed: why, where the test itself did not say so
	Tampering   []string     `json:"tampering,omitempty"`
	Timeline    *Timeline    `json:"timeline,omitempty"`
	Unjudged    string       `json:"unjudged,omitempty"` // why nothing can be said of it, which is nobody's fault
}

// A Process is one process of the tree as it was last seen.
type Process struct {
	PID     int      `json:"pid"`
	Parent  int      `json:"parent"`
	Name    string   `json:"name"`              // its argument 0: "worker"
	State   string   `json:"state"`             // one letter, as in /proc/PID/stat; empty if only announced
	Foreign bool     `json:"foreign,omitempty"` // it is not known to have run the tests' own program, by the kernel's word
	Ending  bool     `json:"ending,omitempty"`  // it is being ended by the kernel
	Session bool     `json:"session,omitempty"`
	Args    []string `json:"args,omitempty"`
	Start   uint64   `json:"start,omitempty"`  // clock ticks after boot: tells a reused process ID
	Opened  *Frame   `json:"opened,omitempty"` // where it was started, if that is known
}

// Left is what a test left behind.
type Left struct {
	Processes   []Process    `json:"processes,omitempty"`
	Descriptors []Descriptor `json:"descriptors,omitempty"`
	Goroutines  []Goroutine  `json:"goroutines,omitempty"`
	Mappings    []Mapping    `json:"mappings,omitempty"`
	Files       []string     `json:"files,omitempty"`   // below the private temp folder, relative to it
	Shared      []string     `json:"shared,omitempty"`  // objects in /dev/shm
	Reached     []Frame      `json:"reached,omitempty"` // if anything was left: where the source opened things during the test
}

// A Descriptor is an open file of a process.
type Descriptor struct {
	FD     int    `json:"fd"`
	Target string `json:"target"` // "pipe:[123]", "socket:[7]", a path, "anon_inode:[pidfd]"
	PID    int    `json:"pid,omitempty"`
	Of     int    `json:"of,omitempty"`     // pidfd: the process it stands for
	Opened *Frame `json:"opened,omitempty"` // where it was opened, if that is known
	From   *Frame `json:"from,omitempty"`   // who called the learner's function that opened it, if that is the learner's too
}

// A Mapping is a shared mapping of a process.
type Mapping struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	Opened *Frame `json:"opened,omitempty"` // where it was mapped, if that is known
}

// A Frame is a place in a call stack. File is as the learner knows it.
type Frame struct {
	Func string `json:"func"`
	File string `json:"file"`
	Line int    `json:"line"`
}

// A Site is a call in the source under test that makes a thing that can leak, or
// what the judge must know of contexts: "takes" is a function under test that takes
// one, and "ended" a call of a test that hands one on which the test ends later.
type Site struct {
	Kind  string `json:"kind"` // "process", "pipe", "socket", "file", "map", "takes", "ended"
	Frame Frame  `json:"frame"`
	Name  string `json:"name,omitempty"`  // "ended": the function that is called
	Until int    `json:"until,omitempty"` // "ended": the line of Frame.Func from which on the context is over
}

// An Opening is a thing that the source under test made, as the hooks in it saw.
type Opening struct {
	PID    int    `json:"pid"`             // who
	Kind   string `json:"kind"`            // "fd", "child"
	Object string `json:"object"`          // as Handle.Object, or the child's name
	Child  int    `json:"child,omitempty"` // its process ID
	Frame  Frame  `json:"frame"`
	Sure   bool   `json:"sure,omitempty"` // no other such place was being passed in this process
}

// A Goroutine is one goroutine of a dump.
type Goroutine struct {
	ID        int     `json:"id"`
	State     string  `json:"state"` // "chan receive", "sync.Mutex.Lock", "IO wait", "running"
	Frames    []Frame `json:"frames"`
	CreatedBy *Frame  `json:"created_by,omitempty"`

	Address uint64   `json:"address,omitempty"` // of its record in the runtime: see Member
	Call    []uint64 `json:"call,omitempty"`    // the system call that it is in, and that call's first two arguments

	Unreachable bool `json:"unreachable,omitempty"` // the runtime has proved that nothing can ever wake it
}

// Stacks are the goroutines of one process.
type Stacks struct {
	PID        int         `json:"pid"`
	Name       string      `json:"name,omitempty"`
	Goroutines []Goroutine `json:"goroutines"`
}

// A Race is one report of Go's race detector.
type Race struct {
	PID      int      `json:"pid"`
	Accesses []Access `json:"accesses"` // two, the later one first, as the detector prints them
}

// An Access is one side of a race.
type Access struct {
	Op      string  `json:"op"` // "read", "write", "atomic read", "atomic write"
	PID     int     `json:"pid,omitempty"`
	Frames  []Frame `json:"frames"`
	Created []Frame `json:"created,omitempty"` // where its goroutine was started; none for the main one
}

// A SharedRace is one unsynchronised pair of accesses to a word of shared memory,
// from two processes.
type SharedRace struct {
	Word     int      `json:"word"`
	Accesses []Access `json:"accesses"`
	Expected bool     `json:"expected,omitempty"` // the test asked for it
}

// A Crash is a process that ended by a panic, a fatal error of the runtime or a
// fault signal.
type Crash struct {
	PID        int         `json:"pid"`
	Name       string      `json:"name,omitempty"`
	Message    string      `json:"message"` // "panic: boom", "fatal error: all goroutines are asleep - deadlock!"
	Goroutines []Goroutine `json:"goroutines"`
}

// A Limit is the bound for which the supervisor ended a test.
type Limit struct {
	Kind  string `json:"kind"` // "time", "memory", "processes", "output"
	Bound int64  `json:"bound"`
	Seen  int64  `json:"seen"`
	Unit  string `json:"unit"` // "s", "MiB", "processes"

	// Of a bound of time, in seconds: what the test's processes took of the processors,
	// for how long they rested by their own choice, and for how long the machine denied
	// them what they wanted, which does not count. Slow is how many times slower than
	// usual it is at starting a child.
	CPU    float64 `json:"cpu,omitempty"`
	Rest   float64 `json:"rest,omitempty"`
	Denied float64 `json:"denied,omitempty"`
	Slow   float64 `json:"slow,omitempty"`
}

// Empty reports whether nothing was left that the supervisor itself can see.
func (l Left) Empty() bool {
	return len(l.Processes)+len(l.Descriptors)+len(l.Mappings)+len(l.Files)+len(l.Shared) == 0
}
