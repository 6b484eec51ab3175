package detect

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/evidence"
)

// Every detector has its page, and its code is named once.
func TestDetectorsAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range Detectors() {
		assert.NotEmpty(t, d.Title, d.Code)
		assert.False(t, seen[d.Code], "%s stands twice", d.Code)
		seen[d.Code] = true
		if d.Code != "tamper" { // there is no right way to do that
			assert.Contains(t, d.Doc, "WRONG ", d.Code)
			assert.Contains(t, d.Doc, "RIGHT ", d.Code)
		}
	}
	for _, p := range precedences {
		assert.NotEmpty(t, p.why, p.cause)
		for _, c := range append(p.effects, p.cause) {
			assert.True(t, seen[c], "a precedence speaks of %q, which no detector finds", c)
		}
	}
	for _, c := range order {
		assert.True(t, seen[c], "order speaks of %q, which no detector finds", c)
	}
	assert.Len(t, order, len(seen), "order has every code, each once")
}

// What a passed test left behind is a finding each, with its place; a clean run has
// none.
func TestFindings(t *testing.T) {
	at := func(line int) *evidence.Frame { return &evidence.Frame{File: "katas/01-spawn/spawn.go", Line: line} }
	frames := []evidence.Frame{{Func: "runtime.gopark", File: "runtime/proc.go", Line: 1}, {Func: "spawn.Run", File: "katas/01-spawn/spawn.go", Line: 7}}
	for _, row := range []struct {
		name string
		test evidence.Test
		want []Finding
	}{
		{"clean", evidence.Test{Status: evidence.Passed}, nil},
		{"unwritten", evidence.Test{Status: evidence.Failed, Todo: []string{"spawn: Run"}, Needs: 3}, nil},
		{"a failed assertion", evidence.Test{Status: evidence.Failed, Output: "    x_test.go:9: it was red\n"}, []Finding{{Code: "wrong", File: "katas/01-spawn/x_test.go", Line: 9}}},
		{"an orphan", evidence.Test{Status: evidence.Passed, Left: evidence.Left{Processes: []evidence.Process{{PID: 5, State: "S", Opened: at(3)}}}}, []Finding{{Code: "orphan", PID: 5, File: at(0).File, Line: 3}}},
		{"a zombie", evidence.Test{Status: evidence.Passed, Left: evidence.Left{Processes: []evidence.Process{{PID: 5, State: "Z", Opened: at(3)}}}}, []Finding{{Code: "zombie", PID: 5, File: at(0).File, Line: 3}}},
		{
			"the pidfd of a zombie is no leak of its own",
			evidence.Test{Status: evidence.Passed, Left: evidence.Left{
				Processes:   []evidence.Process{{PID: 5, State: "Z", Opened: at(3)}},
				Descriptors: []evidence.Descriptor{{FD: 9, Target: "anon_inode:[pidfd]", Of: 5}},
			}},
			[]Finding{{Code: "zombie", PID: 5, File: at(0).File, Line: 3}},
		},
		{"a pipe", evidence.Test{Status: evidence.Passed, Left: evidence.Left{Descriptors: []evidence.Descriptor{{FD: 9, Target: "pipe:[1]", Opened: at(4)}}}}, []Finding{{Code: "fd-leak", File: at(0).File, Line: 4}}},
		{"a goroutine", evidence.Test{Status: evidence.Passed, Left: evidence.Left{Goroutines: []evidence.Goroutine{{ID: 8, State: "chan receive", Frames: frames}}}}, []Finding{{Code: "goroutine-leak", File: at(0).File, Line: 7}}},
		{"a mapping", evidence.Test{Status: evidence.Passed, Left: evidence.Left{Mappings: []evidence.Mapping{{Path: "/tmp/w", Bytes: 4096, Opened: at(5)}}}}, []Finding{{Code: "shm-leak", File: at(0).File, Line: 5}}},
		{"a file", evidence.Test{Status: evidence.Passed, Left: evidence.Left{Files: []string{"socket"}}}, []Finding{{Code: "file-leak"}}},
		{"too few processes", evidence.Test{Status: evidence.Passed, Needs: 3}, []Finding{{Code: "not-processes"}}},
		{"other programs do not count", evidence.Test{Status: evidence.Passed, Needs: 2, Processes: []evidence.Process{{PID: 5}, {PID: 6, Foreign: true}}}, []Finding{{Code: "not-processes"}}},
		{"other programs may be there", evidence.Test{Status: evidence.Passed, Needs: 2, Processes: []evidence.Process{{PID: 5}, {PID: 6, Foreign: true}, {PID: 7}}}, nil},
		{"goroutines do not explain a failure away", evidence.Test{Status: evidence.Failed, Needs: 3, Output: "    x_test.go:9: same PID\n"}, []Finding{{Code: "wrong", File: "katas/01-spawn/x_test.go", Line: 9}, {Code: "not-processes"}}},
		{"a race", evidence.Test{Status: evidence.Passed, Races: []evidence.Race{{PID: 6, Accesses: []evidence.Access{{Op: "write", Frames: frames}, {Op: "read", Frames: frames}}}}}, []Finding{{Code: "race", PID: 6, File: at(0).File, Line: 7}}},
		{"an expected race on shared memory", evidence.Test{Status: evidence.Passed, SharedRaces: []evidence.SharedRace{{Expected: true}}}, nil},
		{"an expected deadlock", evidence.Test{Status: evidence.Passed, Deadlock: &evidence.Deadlock{Expected: true}}, nil},
		{
			"a deadlock explains the end of the test",
			evidence.Test{Status: evidence.Aborted, Deadlock: &evidence.Deadlock{
				Waits: []evidence.Wait{{PID: 5, Name: "a", For: "lock", What: "/tmp/2", On: []int{6}, Line: at(11)}, {PID: 6, Name: "b", For: "lock", What: "/tmp/1", On: []int{5}, Line: at(12)}}, Circle: []int{5, 6},
			}},
			[]Finding{{Code: "deadlock", PID: 5, File: at(0).File, Line: 11}},
		},
		{"time", evidence.Test{Status: evidence.Aborted, Limit: &evidence.Limit{Kind: "time", Bound: 9, Unit: "s"}}, []Finding{{Code: "timeout"}}},
		{"memory", evidence.Test{Status: evidence.Aborted, Limit: &evidence.Limit{Kind: "memory"}}, []Finding{{Code: "limit"}}},
		{"an exit in the middle", evidence.Test{Status: evidence.Aborted, Exit: "exit status 0"}, []Finding{{Code: "crash"}}},
		{"a panic in a child", evidence.Test{Status: evidence.Passed, Crashes: []evidence.Crash{{PID: 5, Message: "panic: boom", Goroutines: []evidence.Goroutine{{Frames: frames}}}}}, []Finding{{Code: "crash", PID: 5, File: at(0).File, Line: 7}}},
		{"a forged event", evidence.Test{Status: evidence.Passed, Tampering: []string{"forged"}}, []Finding{{Code: "tamper"}}},
		{
			"processes that do not rest",
			evidence.Test{Status: evidence.Passed, Busy: &evidence.Busy{Waiting: []evidence.Burn{{PID: 5, Wall: 1, CPU: 1, Wakeups: 3}}}},
			[]Finding{{Code: "busy-wait", PID: 5}},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.test.Name = "TestX"
			run := evidence.Run{Kata: "01-spawn", Source: "katas/01-spawn", Build: evidence.Build{OK: true}, Tests: []evidence.Test{row.test}}
			got := All(run)
			for _, f := range got {
				assert.Equal(t, "TestX", f.Test)
				assert.NotEmpty(t, f.Message)
				assert.NotEmpty(t, f.Next)
			}
			diff := cmp.Diff(row.want, got, cmpopts.IgnoreFields(Finding{}, "Message", "Test", "Detail", "Next"), cmpopts.EquateEmpty())
			assert.Empty(t, diff, "(-want +got)")
		})
	}
}

// A build that failed is told in the compiler's words.
func TestBuildFinding(t *testing.T) {
	all := All(evidence.Run{Build: evidence.Build{Output: "katas/01-spawn/spawn.go:31:2: undefined: cmd\n"}})
	require.Len(t, all, 1)
	assert.Equal(t, "build", all[0].Code)
	assert.Equal(t, "katas/01-spawn/spawn.go", all[0].File)
	assert.Equal(t, 31, all[0].Line)
}
