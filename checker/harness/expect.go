package harness

import "testing"

// A Deadlock is the proof that a group of processes can never go on.
type Deadlock struct {
	Waits  []Wait // every process of the group, with what it waits for
	Circle []int  // the process IDs of one circle of waits, in order; empty if there is none
}

// A Wait says what one process waits for.
type Wait struct {
	PID  int
	For  string // "lock", "pipe", "child", "futex", "socket" or "nothing"
	What string // the thing by name: a file's path, "pipe:[123]", "pid 45"
	On   []int  // the processes that alone could end the wait
	Line string // "file.go:12", where the process waits; may be empty
}

// Deadlocked waits until the supervisor has proved that the processes with the
// given IDs and all of their descendants can never go on, and returns the
// proof. The deadlock is then no finding: the test expected it. The test still
// has to end and reap those processes. If they end instead, Deadlocked fails
// the test; where there is no supervisor or no such check on this system, it
// skips the test with "not checked on this system".
func Deadlocked(t testing.TB, pids ...int) Deadlock {
	t.Helper()
	t.Skip("not checked on this system: deadlocks between processes")
	return Deadlock{}
}

// A SharedRace is an unsynchronised pair of accesses to one shared word.
type SharedRace struct {
	Word   int    // index of the word in its mapping
	First  Access // the access that was watched
	Second Access // the access that came in between
}

// An Access is one side of a race.
type Access struct {
	PID   int
	Write bool
	Line  string // "file.go:12"
}

// SharedRaces runs f and returns the races on shared memory (package shm) that
// were observed while it ran, in any process. They are then no findings: the
// test expected them. Where nothing watches, it skips the test.
func SharedRaces(t testing.TB, f func()) []SharedRace {
	t.Helper()
	t.Skip("not checked on this system: races on shared memory")
	return nil
}
