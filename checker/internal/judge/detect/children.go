package detect

import (
	"fmt"
	"slices"

	"prokata/checker/internal/evidence"
)

var orphan = Detector{
	Code:  "orphan",
	Title: "a child outlived the program's call",
	Doc: `A process that the test's program started was still running when the call that started
it had returned. Nobody waits for such a process, nobody ends it, and what it does from
then on surprises somebody.

WRONG   cmd.Start(); return nil
RIGHT   cmd.Start(); …; return cmd.Wait()

A child of a child counts too: to cancel a child is not to cancel its children.`,
	Detect: func(run evidence.Run) []Finding {
		return children(run, func(p evidence.Process) bool { return p.State != "Z" }, func(t evidence.Test, p evidence.Process) Finding {
			return Finding{
				Code: "orphan", Message: "a child outlived your program",
				Detail: []string{fmt.Sprintf("%s was still running when %s returned", who(p.PID, p.Name), t.Name)},
				Next:   "wait for every child that you start, on every path",
			}
		})
	},
}

var zombie = Detector{
	Code:  "zombie",
	Title: "a child ended and nobody waited for it",
	Doc: `A child that has ended stays in the process table until its parent asks how it ended.
A program that never asks fills the table, and never learns that the child failed.

WRONG   cmd.Process.Kill()                // and on
RIGHT   cmd.Process.Kill(); cmd.Wait()

os.Process.Release does not help: it only forgets the process.`,
	Detect: func(run evidence.Run) []Finding {
		return children(run, func(p evidence.Process) bool { return p.State == "Z" }, func(t evidence.Test, p evidence.Process) Finding {
			return Finding{
				Code: "zombie", Message: "a child ended and your program never waited for it",
				Detail: []string{fmt.Sprintf("%s had ended before %s returned, and was not collected", who(p.PID, p.Name), t.Name)},
				Next:   "call Wait for every child that was started, also after Kill",
			}
		})
	},
}

// children makes one finding a test of the processes that were left in it: the
// first one is told, the others are counted.
func children(run evidence.Run, which func(evidence.Process) bool, finding func(evidence.Test, evidence.Process) Finding) []Finding {
	var all []Finding
	for _, t := range run.Tests {
		n := 0
		var f Finding
		for _, p := range t.Left.Processes {
			if !which(p) {
				continue
			}
			if n++; n == 1 {
				if name := named(t, p.PID); name != "" {
					p.Name = name
				}
				f = finding(t, p)
				f.Test, f.PID = t.Name, p.PID
				f = opened(run, f, "process", "started", p.Opened, t.Left.Reached)
			}
		}
		if n > 1 {
			f.Detail = append(f.Detail, fmt.Sprintf("and %d more", n-1))
		}
		if n > 0 {
			all = append(all, f)
		}
	}
	return all
}

var notProcesses = Detector{
	Code:  "not-processes",
	Title: "goroutines did what processes were asked for",
	Doc: `The kata asks for operating-system processes, and the kernel saw fewer than the test
needs. Only those count that run this program: a "sleep" that is there to be counted does
none of the work. Goroutines share one address space, end together and cannot be killed one by one:
what holds for them does not hold for processes.

WRONG   go worker(tasks)
RIGHT   cmd := reexec.Command("worker"); cmd.Start()`,
	Detect: func(run evidence.Run) []Finding {
		var all []Finding
		if slices.Contains(run.Unchecked, "not-processes") {
			return nil // those that were not seen may have been there
		}
		for _, t := range run.Tests {
			foreign := 0
			for _, p := range t.Processes {
				if p.Foreign {
					foreign++
				}
			}
			if t.Needs == 0 || len(t.Processes)-foreign >= t.Needs || unwritten(t) || t.Status == evidence.Skipped || t.Status == "" {
				continue
			}
			// A program that crashed or failed half-way may not have come to its children.
			if t.Status == evidence.Aborted || t.Status == evidence.Failed && len(t.Processes) > 0 {
				continue
			}
			f := Finding{
				Code: "not-processes", Test: t.Name, Message: "your program did with goroutines what processes should do",
				Detail: []string{fmt.Sprintf("%s needs at least %d child processes; the kernel saw %d", t.Name, t.Needs, len(t.Processes))},
				Next:   "start each worker as a process of its own (reexec.Command)",
			}
			if foreign > 0 {
				f.Message = "your program did itself what its child processes should do"
				f.Detail = append(f.Detail, fmt.Sprintf("%d of them did not run this program", foreign))
			}
			all = append(all, f)
		}
		return all
	},
}
