package detect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"prokata/checker/internal/evidence"
)

// inWords writes findings as "code" or "code<cause", in their order.
func inWords(all []Finding) string {
	var s []string
	for _, f := range all {
		if f.Follows != "" {
			f.Code += "<" + f.Follows
		}
		s = append(s, f.Code)
	}
	return strings.Join(s, " ")
}

// One test shows several things; which is the cause?
func TestPrecedence(t *testing.T) {
	said := block("Should be true", "it was red")
	at := &evidence.Frame{File: "katas/01-spawn/spawn.go", Line: 7}
	frames := []evidence.Frame{{Func: "spawn.Run", File: at.File, Line: 7}}
	failing := []evidence.Frame{{Func: "os.(*File).Read"}, {Func: "runtime.Goexit"}, {Func: "testing.(*common).FailNow"}, {Func: "x.TestX", File: "katas/01-spawn/x_test.go", Line: 4}}
	leak := evidence.Left{Descriptors: []evidence.Descriptor{{FD: 9, Target: "pipe:[1]", Opened: at}}}
	child := evidence.Left{Processes: []evidence.Process{{PID: 5, State: "S", Opened: at}}}
	dead := &evidence.Deadlock{Waits: []evidence.Wait{{PID: 5, Line: at}}}
	for _, row := range []struct {
		name string
		test evidence.Test
		want string
	}{
		{"a leak alone", evidence.Test{Status: evidence.Passed, Left: leak}, "fd-leak"},
		{"the test dropped what it got", evidence.Test{Status: evidence.Failed, Output: said, Left: leak}, "wrong fd-leak<wrong"},
		{"and stopped", evidence.Test{Status: evidence.Failed, Output: said, Stopped: true, Left: leak}, "wrong fd-leak<wrong"},
		{"a child of a test that went on to its end", evidence.Test{Status: evidence.Failed, Output: said, Left: child}, "wrong orphan"},
		{"a child that the test would have ended", evidence.Test{Status: evidence.Failed, Output: said, Stopped: true, Left: child}, "wrong orphan<wrong"},
		{"too few processes in a test that stopped before", evidence.Test{Status: evidence.Failed, Output: said, Stopped: true, Needs: 2}, "wrong not-processes<wrong"},
		{"too few processes all the same", evidence.Test{Status: evidence.Failed, Output: said, Needs: 2}, "wrong not-processes"},
		{"a clean-up that hangs", evidence.Test{Status: evidence.Aborted, Output: said, Deadlock: dead, Stacks: []evidence.Stacks{{Goroutines: []evidence.Goroutine{{Frames: failing}}}}}, "wrong deadlock<wrong"},
		{"a clean-up that hangs, in silence", evidence.Test{Status: evidence.Aborted, Deadlock: dead, Stacks: []evidence.Stacks{{Goroutines: []evidence.Goroutine{{Frames: failing}}}}}, "wrong deadlock<wrong"},
		{"an assertion, and later a deadlock", evidence.Test{Status: evidence.Aborted, Output: said, Deadlock: dead}, "wrong deadlock"},
		{"the time ran out in a clean-up", evidence.Test{Status: evidence.Aborted, Output: said, Limit: &evidence.Limit{Kind: "time"}, Stacks: []evidence.Stacks{{Goroutines: []evidence.Goroutine{{Frames: failing}}}}}, "wrong timeout<wrong"},
		{"a race explains the sum, and the sum the leak", evidence.Test{Status: evidence.Failed, Output: said, Races: []evidence.Race{{}}, Left: leak}, "race wrong<race fd-leak<race"},
		{"a race beside an error that did not come", evidence.Test{Status: evidence.Failed, Output: block("An error is expected but got nil.", "it was taken"), Races: []evidence.Race{{}}}, "race wrong"},
		{"a lost update", evidence.Test{Status: evidence.Failed, Output: said, SharedRaces: []evidence.SharedRace{{}}}, "shared-race wrong<shared-race"},
		{"a child's crash", evidence.Test{Status: evidence.Failed, Output: said, Crashes: []evidence.Crash{{PID: 5, Goroutines: []evidence.Goroutine{{Frames: frames}}}}}, "crash wrong<crash"},
		{"the test panicked at what it had got", evidence.Test{Status: evidence.Aborted, Output: said, Crashes: []evidence.Crash{{PID: 5, Goroutines: []evidence.Goroutine{{Frames: failing[3:]}}}}}, "wrong crash<wrong"},
		{"a note before the time ran out", evidence.Test{Status: evidence.Aborted, Output: "    x_test.go:9: a table\n", Limit: &evidence.Limit{Kind: "time"}}, "timeout"},
		{"an orphan holds a pipe", evidence.Test{Status: evidence.Passed, Left: evidence.Left{Processes: child.Processes, Descriptors: leak.Descriptors}}, "orphan fd-leak<orphan"},
		{
			"unwritten code",
			evidence.Test{Status: evidence.Aborted, Output: said, Todo: []string{"Run"}, Deadlock: dead, Left: leak, Needs: 3, Races: []evidence.Race{{}}, Limit: &evidence.Limit{Kind: "memory"}},
			"race<not-started deadlock<not-started limit<not-started fd-leak<not-started",
		},
		{"unwritten code and a forged event", evidence.Test{Status: evidence.Failed, Todo: []string{"Run"}, Tampering: []string{"forged"}}, "tamper"},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.test.Name = "TestX"
			run := evidence.Run{Kata: "01-spawn", Source: "katas/01-spawn", Build: evidence.Build{OK: true}, Tests: []evidence.Test{row.test}}
			assert.Equal(t, row.want, inWords(All(run)))
		})
	}
}

// Where a place is a guess, the same guess elsewhere proves nothing.
func TestAGuessElsewhere(t *testing.T) {
	left := evidence.Left{Descriptors: []evidence.Descriptor{{FD: 9, Target: "/tmp/x"}}}
	run := evidence.Run{
		Kata: "01-spawn", Source: "katas/01-spawn", Build: evidence.Build{OK: true},
		Sites: []evidence.Site{{Kind: "file", Frame: evidence.Frame{File: "a.go", Line: 1}}, {Kind: "file", Frame: evidence.Frame{File: "a.go", Line: 2}}},
		Tests: []evidence.Test{
			{Name: "TestA", Status: evidence.Passed, Left: left},
			{Name: "TestB", Status: evidence.Failed, Output: block("Should be true", "it was red"), Left: left},
		},
	}
	assert.Equal(t, "fd-leak wrong fd-leak<wrong", inWords(All(run)))
}

// What a test without a failed assertion shows at the same place is the learner's also
// in one that failed.
func TestTheSameLeakElsewhere(t *testing.T) {
	left := func(line int) evidence.Left {
		return evidence.Left{Descriptors: []evidence.Descriptor{{FD: 9, Target: "pipe:[1]", Opened: &evidence.Frame{File: "katas/01-spawn/spawn.go", Line: line}}}}
	}
	for line, want := range map[int]string{7: "fd-leak wrong fd-leak", 8: "fd-leak wrong fd-leak<wrong"} {
		t.Run(fmt.Sprint(line), func(t *testing.T) {
			run := evidence.Run{Kata: "01-spawn", Source: "katas/01-spawn", Build: evidence.Build{OK: true}, Tests: []evidence.Test{
				{Name: "TestA", Status: evidence.Passed, Left: left(7)},
				{Name: "TestB", Status: evidence.Failed, Output: "    x_test.go:9: it was red\n", Stopped: true, Left: left(line)},
			}}
			assert.Equal(t, want, inWords(All(run)))
		})
	}
}
