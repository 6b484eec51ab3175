package detect

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/evidence"
)

// only runs the detectors on one test and returns the one finding.
func only(t *testing.T, test evidence.Test) Finding {
	t.Helper()
	test.Name = "TestX"
	all := All(evidence.Run{Kata: "01-spawn", Source: "katas/01-spawn", Build: evidence.Build{OK: true}, Tests: []evidence.Test{test}})
	require.Len(t, all, 1)
	return all[0]
}

// Where the processes were is told once for all that were there.
func TestTimeoutFoldsEqualLines(t *testing.T) {
	g := func(line int, state string) evidence.Goroutine {
		return evidence.Goroutine{State: state, Frames: []evidence.Frame{{Func: "spawn.f", File: "katas/01-spawn/spawn.go", Line: line}}}
	}
	f := only(t, evidence.Test{Status: evidence.Aborted, Limit: &evidence.Limit{Kind: "time"}, Stacks: []evidence.Stacks{
		{PID: 4, Name: "/tmp/prokata-work-1/spawn.test", Goroutines: []evidence.Goroutine{g(3, "select"), g(3, "select"), g(9, "sleep")}},
		{PID: 5, Name: "worker", Goroutines: []evidence.Goroutine{g(7, "IO wait")}},
		{PID: 6, Name: "worker", Goroutines: []evidence.Goroutine{g(7, "IO wait")}},
		{PID: 8, Name: "worker", Goroutines: []evidence.Goroutine{g(7, "IO wait")}},
		{PID: 9, Name: "exe", Goroutines: []evidence.Goroutine{g(8, "running")}},
	}})
	assert.Equal(t, []string{
		`2 goroutines of pid 4 "spawn.test" were at katas/01-spawn/spawn.go:3 (select)`,
		`pid 4 "spawn.test" was at katas/01-spawn/spawn.go:9 (sleep)`,
		`3 processes "worker" (pid 5, 6 and 8) were at katas/01-spawn/spawn.go:7 (IO wait)`,
		`pid 9 was at katas/01-spawn/spawn.go:8 (running)`,
	}, f.Detail[len(f.Detail)-4:])
}

// What log.Fatal said is the end of what the test printed.
func TestLastWords(t *testing.T) {
	f := only(t, evidence.Test{Status: evidence.Aborted, Exit: "exit status 1", Output: "=== RUN   TestX\na line\n2026/11/25 17:00:00 listen: address already in use\n"})
	assert.Equal(t, "crash", f.Code)
	assert.Equal(t, []string{"exit status 1", "its last words:", "a line", "2026/11/25 17:00:00 listen: address already in use"}, f.Detail)
}

// The runtime keeps the words of a fatal error from the crash's file.
func TestFatalError(t *testing.T) {
	f := only(t, evidence.Test{Status: evidence.Passed, Crashes: []evidence.Crash{{PID: 5, Name: "worker", Message: "fatal error"}}, Output: "x\nfatal error: concurrent map writes\n"})
	assert.Equal(t, []string{"fatal error: concurrent map writes", `in pid 5 "worker"`}, f.Detail)
}

// One race is told once, whichever side came first.
func TestOneRaceIsToldOnce(t *testing.T) {
	access := func(op string, line int) evidence.Access {
		return evidence.Access{Op: op, Frames: []evidence.Frame{{File: "katas/01-spawn/spawn.go", Line: line}}}
	}
	f := only(t, evidence.Test{Status: evidence.Passed, Races: []evidence.Race{
		{PID: 5, Accesses: []evidence.Access{access("read", 205), access("write", 206)}},
		{PID: 6, Accesses: []evidence.Access{access("write", 206), access("read", 205)}},
	}})
	assert.Equal(t, 206, f.Line)
	assert.Equal(t, []string{"write at katas/01-spawn/spawn.go:206", "read at katas/01-spawn/spawn.go:205"}, f.Detail)
}

// A descriptor is told by what it is, and those that are alike in one line.
func TestDescriptors(t *testing.T) {
	at := &evidence.Frame{File: "katas/01-spawn/spawn.go", Line: 7}
	f := only(t, evidence.Test{Status: evidence.Passed, Left: evidence.Left{Descriptors: []evidence.Descriptor{
		{FD: 7, Target: "pipe:[209952]", Opened: at},
		{FD: 9, Target: "pipe:[209953]", Opened: at},
		{FD: 10, Target: "socket:[5]"},
		{FD: 11, Target: "anon_inode:[pidfd]", Of: 45},
		{FD: 12, Target: "anon_inode:[eventpoll]"},
		{FD: 13, Target: "/tmp/x (deleted)"},
	}}})
	assert.Equal(t, []string{
		"descriptors 7 and 9: each an end of a pipe, opened at katas/01-spawn/spawn.go:7",
		"descriptor 10: a socket",
		"descriptor 11: the handle of the child 45",
		"descriptor 12: an eventpoll",
		"descriptor 13: the file /tmp/x (it has been removed)",
	}, f.Detail)
}
