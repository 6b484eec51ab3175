// Package wire is what a test process and its supervisor say to each other: one sealed
// JSON value a line, over two pipes that the harness takes before any code under
// test runs. The test process speaks and then waits for the reply, so that the
// supervisor looks at a tree in which the harness stands still.
package wire

import (
	"path/filepath"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/watch"
	"prokata/checker/perturb"
	"prokata/checker/todo"
)

// Descriptors of the test process.
const (
	EventFD = 3 // it writes events
	ReplyFD = 4 // it reads replies
)

// Calibrate is the role of a process that is started to see what a start costs here,
// and that ends at once.
const Calibrate = "calibrate"

// Loopback is the role of a process that is started to see whether it can use a
// network of its own; it ends with status 0 if so.
const Loopback = "loopback"

// Environment variables that the supervisor sets.
const (
	RoleEnv    = "PROKATA_ROLE" // "tests": run the tests and speak over the two pipes
	RunEnv     = "PROKATA_RUN"  // the run's private folder; tells a child that it is watched
	OwnEnv     = "PROKATA_OWN"  // the one test of the learner's own that this process runs
	SeedEnv    = "PROKATA_SEED" // the seed of the check, decimal
	WatchEnv   = watch.Env
	PerturbEnv = perturb.SeedEnv // the seed of the perturbation; absent: none
	SitesEnv   = perturb.RecordEnv
	TodoEnv    = todo.RecordEnv
	MutantEnv  = "PROKATA_MUTANT" // of combined mutants, the number of the one that runs
)

// Gorace is the setting of the race detector for all processes of the run whose folder
// that is. The exit status of a racy child must stay what the program made it: a race is
// found in the log, and must not look like a second mistake.
func Gorace(dir string) string {
	return "log_path='" + filepath.Join(dir, RaceDir, "r") + "' atexit_sleep_ms=0 exitcode=0"
}

// Files and folders below the run's private folder.
const (
	TempDir      = "tmp"      // TMPDIR of the whole tree
	WorkDir      = "work"     // working directory of the test process
	RaceDir      = "race"     // r.PID: reports of Go's race detector
	CrashDir     = "crash"    // PID: what a process printed as it crashed
	WatchDir     = "watch"    // tables and reports of package shm
	ProgressFile = "progress" // a counter of 8 bytes that the tests count up
	SitesFile    = "sites"    // what the source under test opened, and where
	TodoFile     = "todo"     // a line for each unwritten function that was called
	ChildFile    = "started"  // a Child a line, JSON, for siblings to read
	StartSocket  = "starts"   // where a child presents itself: a Child, JSON; it goes on at the answer
	MeetFile     = "meet"     // where disturbed siblings wait for each other
)

// The kinds of events.
const (
	Begin = "begin" // a test begins; the reply says go
	End   = "end"   // a test has ended; the reply comes after the look at what it left
	// The goroutines are those of a test that has ended, which nothing can ever wake.
	Unreachable = "unreachable"

	// The reply comes once the tree has rested for a while: what has not ended by then
	// is there to stay.
	Settle = "settle"

	Signal   = "signal"   // the test is about to send Signal to PIDs, a negative one for a group
	Waiting  = "waiting"  // PIDs only wait from now on; the reply comes once it is seen what that costs
	Deadlock = "deadlock" // the test waits for a proof that PIDs can never go on
	Expected = "expected" // the test had asked for the races on shared memory of a part of the record
)

// An Event goes from the test process to the supervisor.
type Event struct {
	Kind       string               `json:"kind"`
	Test       string               `json:"test"`
	Source     string               `json:"source,omitempty"` // Begin: the sum of what the program was made of
	Status     evidence.Status      `json:"status,omitempty"`
	Stopped    bool                 `json:"stopped,omitempty"`    // End: the test's function was left by FailNow
	Gone       bool                 `json:"gone,omitempty"`       // End: it never returned, and neither FailNow nor SkipNow was called
	Goroutines []evidence.Goroutine `json:"goroutines,omitempty"` // End: those that are left
	PIDs       []int                `json:"pids,omitempty"`       // Deadlock, Waiting, Signal: the processes in question
	Signal     string               `json:"signal,omitempty"`     // Signal: its name
	Record     [2]int64             `json:"record,omitzero"`      // Expected: from one offset to before another
}

// A Reply goes back.
type Reply struct {
	Canary   string             `json:"canary,omitempty"` // Begin: a mark (Sealer.Mark): is the test one that must fail?
	Deadlock *evidence.Deadlock `json:"deadlock,omitempty"`
	Problem  string             `json:"problem,omitempty"` // why there is no answer
}

// A Child is what a child process announces as it starts.
type Child struct {
	PID    int    `json:"pid"`
	Parent int    `json:"parent"`
	Name   string `json:"name"` // the registered entry
}
