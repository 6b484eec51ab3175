package harness

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"

	"prokata/checker/internal/tree/wire"
)

// A Deadlock is the proof that a group of processes can never go on.
type Deadlock struct {
	Waits  []Wait // every process of the group, with what it waits for
	Circle []int  // the process IDs of one circle of waits, in order; empty if there is none
}

// A Wait says what one process waits for.
type Wait struct {
	PID  int
	For  string // "lock", "pipe", "socket", "child", "futex", "signal", "goroutine" or "stopped"
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
	if supervisor == nil || runtime.GOOS != "linux" {
		t.Skip("not checked on this system: deadlocks between processes")
	}
	r := supervisor.ask(wire.Event{Kind: wire.Deadlock, Test: t.Name(), PIDs: pids})
	if r.Deadlock == nil {
		t.Fatalf("There was no deadlock: %s", r.Problem)
	}
	d := Deadlock{Circle: r.Deadlock.Circle}
	for _, w := range r.Deadlock.Waits {
		wait := Wait{PID: w.PID, For: w.For, What: w.What, On: w.On}
		if w.Line != nil {
			wait.Line = fmt.Sprintf("%s:%d", filepath.Base(w.Line.File), w.Line.Line)
		}
		d.Waits = append(d.Waits, wait)
	}
	return d
}
