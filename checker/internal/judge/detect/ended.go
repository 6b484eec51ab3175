package detect

import (
	"fmt"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
)

var timeout = Detector{
	Code:  "timeout",
	Title: "the time budget ran out",
	Doc: `The test had not ended when its time was over, and it was not proved to be stuck for
ever: something in it still ran, slept or waited for a clock, or for what another program
of the machine could bring. The finding says of each process what it waited for.

WRONG   for !done() { time.Sleep(time.Second) }   // done never comes
RIGHT   <-done                                    // and see that it comes on every path`,
	Detect: func(run evidence.Run) []Finding {
		var all []Finding
		for _, t := range run.Tests {
			if t.Limit == nil || t.Limit.Kind != "time" {
				continue
			}
			f := Finding{
				Code: "timeout", Test: t.Name, Message: fmt.Sprintf("your program had not ended after %d %s", t.Limit.Bound, t.Limit.Unit),
				Next: "see what the first of these goroutines waited for, and who was to end that",
			}
			if t.Limit.Rest+t.Limit.CPU > 0 {
				f.Detail = append(f.Detail, spent(*t.Limit))
			}
			if s := newScene(run, t); s != nil {
				all = append(all, s.late(f))
				continue
			}
			if t.Partial != nil {
				f.Detail = append(f.Detail, "some of its processes waited for each other alone:")
				f.Detail = append(f.Detail, graphLines(t.Partial)...)
			}
			f.Detail = append(f.Detail, standing(t.Snapshot)...)
			all = append(all, waiting(run, t, f))
		}
		return all
	},
}

// spent says what a test did with the time that counts.
func spent(l evidence.Limit) string {
	return fmt.Sprintf("it had rested for %.1f s and taken %.1f s of processor time (waits for a processor do not count)", l.Rest, l.CPU)
}

// waiting adds where each process was. Those that were at one place, in one state, are
// told in one line.
func waiting(run evidence.Run, t evidence.Test, f Finding) Finding {
	type stand struct{ name, at, state string }
	var order []stand
	pids := map[stand][]int{}
	for _, s := range t.Stacks {
		for _, g := range s.Goroutines {
			frame, ok := learner(run, g.Frames)
			if !ok {
				continue
			}
			if f.File == "" {
				f.File, f.Line, f.PID = frame.File, frame.Line, s.PID
			}
			k := stand{s.Name, fmt.Sprintf("%s:%d", frame.File, frame.Line), g.State}
			if pids[k] == nil {
				order = append(order, k)
			}
			pids[k] = append(pids[k], s.PID)
		}
	}
	const few = 8
	for i, k := range order {
		if i == few {
			f.Detail = append(f.Detail, fmt.Sprintf("and at %d more places", len(order)-few))
			break
		}
		f.Detail = append(f.Detail, fmt.Sprintf("%s at %s (%s)", were(pids[k], k.name), k.at, k.state))
	}
	return f
}

// were tells of processes, each named once for each of its goroutines: "pid 5 "worker"
// was", "2 goroutines of pid 5 "worker" were", "3 processes "worker" (pid 5, 6 and 7) were".
func were(pids []int, name string) string {
	all := slices.Compact(slices.Sorted(slices.Values(pids)))
	switch {
	case len(pids) == 1:
		return who(pids[0], name) + " was"
	case len(all) == 1:
		return fmt.Sprintf("%d goroutines of %s were", len(pids), who(all[0], name))
	}
	const few = 4
	var numbers []string
	for _, pid := range all[:min(few, len(all))] {
		numbers = append(numbers, fmt.Sprint(pid))
	}
	if len(all) > few {
		numbers = append(numbers, fmt.Sprintf("%d more", len(all)-few))
	}
	called := strings.TrimPrefix(who(0, name), "pid 0")
	return fmt.Sprintf("%d processes%s (pid %s) were", len(all), called, and(numbers))
}

var limit = Detector{
	Code:  "limit",
	Title: "memory, processes or output went over their bound",
	Doc: `The whole tree of processes together used more memory, had more processes or printed
more than the kata allows; it was ended at once, before it could harm the machine.

WRONG   func init() { exec.Command(os.Args[0]).Start() }   // starts itself without end
RIGHT   func init() { reexec.Register("worker", worker) }`,
	Detect: func(run evidence.Run) []Finding {
		var all []Finding
		for _, t := range run.Tests {
			if t.Limit == nil || t.Limit.Kind == "time" {
				continue
			}
			next := map[string]string{
				"memory":    "keep less in memory at one time",
				"processes": "start only as many processes as there is work for, and collect them",
				"output":    "print less; a loop that never ends may be behind it",
			}[t.Limit.Kind]
			proof := fmt.Sprintf("%d %s were seen, %d are allowed", t.Limit.Seen, t.Limit.Unit, t.Limit.Bound)
			if t.Limit.Seen <= t.Limit.Bound {
				proof = fmt.Sprintf("there were %d %s, threads included, and the kernel refused more", t.Limit.Seen, t.Limit.Unit)
			}
			all = append(all, opened(run, Finding{
				Code: "limit", Test: t.Name, Message: fmt.Sprintf("your program went over the limit of %s", t.Limit.Kind),
				Detail: []string{proof}, Next: next,
			}, map[string]string{"processes": "process"}[t.Limit.Kind], "started", nil, t.Left.Reached))
		}
		return all
	},
}

var crash = Detector{
	Code:  "crash",
	Title: "a process crashed",
	Doc: `A process ended by a panic, a fatal error of the runtime or a fault, or it ended the
whole test program in the middle of a test. A parent that ignores how its child ended
hides this from you; the checker does not.

WRONG   var m map[string]int; m["a"] = 1
RIGHT   m := map[string]int{}; m["a"] = 1`,
	Detect: func(run evidence.Run) []Finding {
		var all []Finding
		for _, t := range run.Tests {
			seen := map[string]bool{}
			for _, c := range t.Crashes {
				f := crashed(run, t, c)
				if key := fmt.Sprint(c.Message, f.File, f.Line); !seen[key] {
					seen[key] = true
					all = append(all, f)
				}
			}
			if t.Status == evidence.Aborted && t.Unjudged == "" && len(t.Crashes) == 0 && t.Limit == nil && t.Deadlock == nil && t.Busy == nil {
				all = append(all, Finding{
					Code: "crash", Test: t.Name, Message: "the program that runs the tests ended in the middle of a test",
					Detail: append([]string{t.Exit}, lastWords(t.Output)...),
					Next:   "look for os.Exit, log.Fatal, a signal to the whole process group, or closed descriptors",
				})
			}
		}
		return all
	},
}

// crashed tells of one process.
func crashed(run evidence.Run, t evidence.Test, c evidence.Crash) Finding {
	f := Finding{Code: "crash", Test: t.Name, PID: c.PID, Message: "a process of your program crashed", Next: "fix the cause at the line named"}
	message := c.Message
	if message == "fatal error" {
		// The runtime writes its words to standard error alone.
		for line := range strings.Lines(t.Output) {
			if strings.HasPrefix(line, "fatal error: ") {
				message = strings.TrimSpace(line)
				break
			}
		}
	}
	if message != "" {
		f.Detail = append(f.Detail, message)
	}
	// The first goroutine is the one that crashed. If that was the test's, in its own
	// code, no other tells why.
	for i, g := range c.Goroutines {
		if i > 0 && inTest(c.Goroutines[0]) {
			break
		}
		if f.File == "" {
			f = f.at(run, g.Frames)
		}
	}
	name := c.Name
	if name == "" && len(c.Goroutines) > 0 && inTest(c.Goroutines[0]) {
		f.Message = "the test crashed with what your program gave it"
		f.Detail = append(f.Detail, "in the process that runs the tests")
		for _, frame := range c.Goroutines[0].Frames {
			if f.File == "" && strings.HasSuffix(frame.File, "_test.go") {
				f.File, f.Line = frame.File, frame.Line
			}
		}
	} else {
		f.Detail = append(f.Detail, "in "+who(c.PID, name))
	}
	return f
}

// inTest reports whether a goroutine is a test's.
func inTest(g evidence.Goroutine) bool {
	return slices.ContainsFunc(g.Frames, func(f evidence.Frame) bool { return f.Func == "testing.tRunner" })
}

// lastWords are the last lines that a test printed before its process ended, without those
// that package testing prints: what log.Fatal said is the last.
func lastWords(output string) []string {
	const few = 5
	var all []string
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, " \t\r\n")
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") && !begins.MatchString(line) {
			all = append(all, line)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return append([]string{"its last words:"}, all[max(0, len(all)-few):]...)
}

var tamper = Detector{
	Code:  "tamper",
	Title: "the program reached for the grader",
	Doc: `The program did something that no kata asks for and that only makes sense against the
checker: it wrote to the harness's channel, or to its files. With --untrusted so does a
source that would hide code from the race detector, change the flags of the tests, reach
into another process, or do something else that no answer needs and that could reach for
the grader; it is neither built nor run. (Without --untrusted what the tests could not
run beside is "build", and accuses nobody.)

There is no RIGHT way to do this.`,
	Detect: func(run evidence.Run) []Finding {
		all := breached(run, false, Finding{Code: "tamper", Message: "your program reached for the grader, and was not run"})
		if len(run.Tampering) > 0 {
			all = append(all, Finding{
				Code: "tamper", Message: "your program reached for the grader, and nothing that its tests said counts", Detail: run.Tampering,
				Next: "leave the harness alone; it is there for you",
			})
		}
		for _, t := range run.Tests {
			if len(t.Tampering) > 0 {
				all = append(all, Finding{
					Code: "tamper", Test: t.Name, Message: "your program reached for the grader", Detail: t.Tampering,
					Next: "leave the harness alone; it is there for you",
				})
			}
		}
		return all
	},
}
