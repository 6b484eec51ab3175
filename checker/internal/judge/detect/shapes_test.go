package detect

import (
	"slices"
	"strings"
	"testing"

	"prokata/checker/internal/evidence"
)

// A standstill is made evidence: a test process 10 below the supervisor 1, with what else
// a row adds.
type standstill struct {
	run evidence.Run
	*evidence.Test
}

func still() standstill {
	s := standstill{run: evidence.Run{Source: "katas/01-spawn"}, Test: &evidence.Test{
		Name: "TestX", Status: evidence.Aborted, Deadlock: &evidence.Deadlock{}, Snapshot: &evidence.Snapshot{Root: 1},
	}}
	s.process(10, 1, "/tmp/x/spawn.test", in("futex", 1, 128))
	return s
}

func (s standstill) process(pid, parent int, name string, threads ...evidence.Thread) {
	s.Snapshot.Processes = append(s.Snapshot.Processes, evidence.Node{
		Process: evidence.Process{PID: pid, Parent: parent, Name: name, State: "S", Start: uint64(pid)}, Go: true, Threads: threads,
	})
	s.Stacks = append(s.Stacks, evidence.Stacks{PID: pid, Name: name})
}

// holds gives a process a descriptor of a pipe.
func (s standstill) holds(pid, fd int, object, way string) {
	i := slices.IndexFunc(s.Snapshot.Processes, func(n evidence.Node) bool { return n.PID == pid })
	n := &s.Snapshot.Processes[i]
	n.Handles = append(n.Handles, evidence.Handle{FD: fd, Object: object, Read: strings.Contains(way, "r"), Write: strings.Contains(way, "w")})
	if !slices.ContainsFunc(s.Snapshot.Objects, func(x evidence.Object) bool { return x.ID == object }) {
		s.Snapshot.Objects = append(s.Snapshot.Objects, evidence.Object{ID: object, Kind: "pipe"})
	}
}

// goroutine adds one, innermost function first: "os.(*File).Read", "mine.go:7 Run",
// "x_test.go:3 TestX".
func (s standstill) goroutine(pid, id int, state string, frames ...string) *evidence.Goroutine {
	g := evidence.Goroutine{ID: id, State: state}
	for _, f := range frames {
		place, name, mine := strings.Cut(f, " ")
		if !mine {
			g.Frames = append(g.Frames, evidence.Frame{Func: f, File: "std.go", Line: 1})
			continue
		}
		file, _, _ := strings.Cut(place, ":")
		line := 0
		for _, r := range place[len(file)+1:] {
			line = 10*line + int(r-'0')
		}
		pkg := "prokata/katas/01-spawn."
		if strings.HasSuffix(file, "_test.go") {
			pkg = "prokata/katas/01-spawn_test."
		}
		g.Frames = append(g.Frames, evidence.Frame{Func: pkg + name, File: "katas/01-spawn/" + file, Line: line})
	}
	i := slices.IndexFunc(s.Stacks, func(x evidence.Stacks) bool { return x.PID == pid })
	s.Stacks[i].Goroutines = append(s.Stacks[i].Goroutines, g)
	return &s.Stacks[i].Goroutines[len(s.Stacks[i].Goroutines)-1]
}

func in(call string, args ...uint64) evidence.Thread {
	return evidence.Thread{TID: 99, State: "S", Call: call, Args: append(args, make([]uint64, 6-len(args))...)}
}

// What no known mistake of a kata comes to, made by hand: the shape and the line. The
// shapes that mistakes do show are judged from recordings (TestShapes of the checker).
func TestMadeShapes(t *testing.T) {
	for _, row := range []struct {
		shape string
		line  int
		make  func(s standstill)
	}{
		{"stopped", 7, func(s standstill) {
			s.process(11, 10, "child", evidence.Thread{TID: 11, State: "T"})
			s.goroutine(10, 6, "syscall", "os.(*Process).Wait", "mine.go:7 Run", "x_test.go:3 TestX", "testing.tRunner")
		}},
		{"context-channel", 7, func(s standstill) {
			s.goroutine(10, 6, "chan receive", "mine.go:7 Run", "x_test.go:5 TestX.func1")
			s.goroutine(10, 5, "chan receive", "x_test.go:9 TestX", "testing.tRunner")
		}},
		{"own-end-full", 7, func(s standstill) {
			s.holds(10, 3, "pipe:[1]", "r")
			s.holds(10, 4, "pipe:[1]", "w")
			s.Snapshot.Processes[0].Threads = append(s.Snapshot.Processes[0].Threads, in("write", 4))
			s.goroutine(10, 6, "syscall", "syscall.write", "os.(*File).Write", "mine.go:7 Run", "x_test.go:3 TestX", "testing.tRunner")
		}},
		{"mutex-lost", 7, func(s standstill) {
			s.goroutine(10, 6, "sync.Mutex.Lock", "sync.(*Mutex).Lock", "mine.go:7 Run", "x_test.go:3 TestX", "testing.tRunner")
		}},
		{"cond", 7, func(s standstill) {
			s.goroutine(10, 6, "sync.Cond.Wait", "sync.(*Cond).Wait", "mine.go:7 Run", "x_test.go:3 TestX", "testing.tRunner")
		}},
		{"signal", 7, func(s standstill) {
			s.goroutine(10, 6, "syscall", "golang.org/x/sys/unix.Pause", "mine.go:7 Run", "x_test.go:3 TestX", "testing.tRunner")
		}},
		{"child-never-ends", 7, func(s standstill) {
			s.process(11, 10, "child", in("pause"))
			s.Snapshot.Processes[0].Threads = append(s.Snapshot.Processes[0].Threads, in("wait4", 11))
			s.goroutine(10, 6, "syscall", "os.(*Process).Wait", "mine.go:7 Run", "x_test.go:3 TestX", "testing.tRunner")
		}},
		{"output-held", 7, func(s standstill) { // the child has ended, and what it started has its output
			s.process(12, 1, "grandchild", in("pause"))
			s.holds(10, 3, "pipe:[1]", "r")
			s.holds(12, 1, "pipe:[1]", "w")
			s.Snapshot.Processes[0].Threads = append(s.Snapshot.Processes[0].Threads, in("read", 3))
			s.Processes = []evidence.Process{{PID: 11, Parent: 10, Name: "child"}}
			s.goroutine(10, 6, "syscall", "syscall.read", "os.(*File).Read", "mine.go:7 Run", "x_test.go:3 TestX", "testing.tRunner")
		}},
	} {
		t.Run(row.shape, func(t *testing.T) {
			s := still()
			if row.shape == "context-channel" {
				s.run.Sites = []evidence.Site{
					{Kind: "takes", Frame: evidence.Frame{Func: "Run", File: "katas/01-spawn/mine.go", Line: 6}},
					{Kind: "ended", Frame: evidence.Frame{Func: "TestX", File: "katas/01-spawn/x_test.go", Line: 5}, Name: "Run", Until: 8},
				}
			}
			row.make(s)
			s.run.Tests = []evidence.Test{*s.Test}
			f := explain(s.run, *s.Test)
			if f.Shape != row.shape || f.Line != row.line {
				t.Errorf("shape %q at line %d, want %q at %d: %s\n%s", f.Shape, f.Line, row.shape, row.line, f.Message, strings.Join(f.Detail, "\n"))
			}
		})
	}
}

// A context that has not ended at the call in question is not told of.
func TestContextOfAnotherCall(t *testing.T) {
	for _, row := range []struct {
		reason string
		site   evidence.Site
		stands int // the line of the test's own goroutine
	}{
		{"it is handed to another call", evidence.Site{Frame: evidence.Frame{Func: "TestX", File: "katas/01-spawn/x_test.go", Line: 4}, Until: 8}, 9},
		{"the test has not ended it yet", evidence.Site{Frame: evidence.Frame{Func: "TestX", File: "katas/01-spawn/x_test.go", Line: 5}, Until: 10}, 9},
		{"another test ends it", evidence.Site{Frame: evidence.Frame{Func: "TestY", File: "katas/01-spawn/x_test.go", Line: 5}, Until: 8}, 9},
	} {
		s := still()
		row.site.Kind, row.site.Name = "ended", "Run"
		s.run.Sites = []evidence.Site{{Kind: "takes", Frame: evidence.Frame{Func: "Run", File: "katas/01-spawn/mine.go", Line: 6}}, row.site}
		s.goroutine(10, 6, "chan receive", "mine.go:7 Run", "x_test.go:5 TestX.func1")
		s.goroutine(10, 5, "chan receive", "x_test.go:9 TestX", "testing.tRunner")
		if f := explain(s.run, *s.Test); strings.HasPrefix(f.Shape, "context") {
			t.Errorf("%s: %s", row.reason, f.Message)
		}
	}
}

// Each shape says what was done, and a step.
func TestShapesAreSentences(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range shapes {
		if s.name == "" || seen[s.name] || s.message == "" || s.next == "" || s.find == nil {
			t.Errorf("shape %q lacks something, or stands twice", s.name)
		}
		seen[s.name] = true
		if len(s.message) > 120 || len(s.next) > 170 {
			t.Errorf("shape %q is told at too great a length: %d, %d", s.name, len(s.message), len(s.next))
		}
	}
}
