package detect

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
)

var deadlock = Detector{
	Code:  "deadlock",
	Title: "no process can ever go on",
	Doc: `Every thread of every process was asleep, no timer ran, and nothing outside of the tree
could wake any of them: it would have stood like that for ever. The finding stands at
the call that hangs, and says where each process stood, who held the other end of what
was waited for, and, where the shape tells it, which step is the mistake.

What is proved: no thread sleeps in a call that a clock ends; no process has an alarm, a
timer or a request to the kernel under way (the kernel tells when one is set); whoever
could end a wait is in the same position; and who waits at an address (a path, a port, a
name, a key, a signal) has it to itself, as it lies in the run's own folder, network or
namespaces. Where another program of the machine could come by it, the verdict is a
timeout, which says so. Left out is only a person who ends a process by a signal (even
one that would answer it), or who reaches into it with a debugger.

WRONG   a: lock(1); lock(2)        b: lock(2); lock(1)
RIGHT   a: lock(1); lock(2)        b: lock(1); lock(2)`,
	Detect: func(run evidence.Run) []Finding {
		var all []Finding
		for _, t := range run.Tests {
			if t.Deadlock == nil || t.Deadlock.Expected {
				continue
			}
			if f, ok := overflowed(run, t); ok {
				f.Code = "livelock"
				all = append(all, f)
				continue
			}
			all = append(all, explain(run, t))
		}
		return all
	},
}

// explain finds the cause of a deadlock, and tells it.
func explain(run evidence.Run, t evidence.Test) Finding {
	f := Finding{Code: "deadlock", Test: t.Name}
	s := newScene(run, t)
	if s == nil {
		return bare(f, t.Deadlock)
	}
	for _, sh := range shapes {
		if c := sh.find(s); c != nil {
			f.Shape = sh.name
			f.Message, f.Next = c.fill(sh.message), c.fill(sh.next)
			f.Detail = append(f.Detail, c.proof...)
			if len(c.at.mine) > 0 {
				at := c.at.at
				if c.line != nil {
					at = c.at.mine[c.line(c.at)]
				}
				f.File, f.Line, f.PID = at.File, at.Line, c.at.pid
			}
			if c.frame != nil {
				f.File, f.Line, f.PID = c.frame.File, c.frame.Line, c.at.pid
			}
			f.Detail = append(f.Detail, s.standing(s.first(c.at.pid))...)
			return f
		}
	}
	if x := s.focus(); x != nil {
		f.File, f.Line, f.PID = x.at.File, x.at.Line, x.pid
		f.Message = fmt.Sprintf("%s never came back: %s", plain(x.mine[len(x.mine)-1].Func), s.waited(*x))
		f.Next = fmt.Sprintf("see who was to end the wait at %s, and where that one stood", at(x.at))
	} else {
		f.Message = "the test waited for something that your program never did"
		f.Next = "see what the test waited for, and which call was to do it: none of your functions was running any more"
	}
	f.Detail = s.standing(s.root)
	return f
}

// late tells a test whose time ran out: at the call that had not come back, with where
// everybody was.
func (s *scene) late(f Finding) Finding {
	if p := s.test.Partial; p != nil {
		var pids []int
		for _, w := range p.Waits {
			if !slices.Contains(pids, w.PID) {
				pids = append(pids, w.PID)
			}
		}
		if n := len(pids); n > 1 {
			f.Detail = append(f.Detail, fmt.Sprintf("%s could not go on by themselves: only they could wake each other", s.several(pids)))
		}
	}
	if x := s.focus(); x != nil {
		f.File, f.Line, f.PID = x.at.File, x.at.Line, x.pid
		f.Next = fmt.Sprintf("%s had not come back from %s: see what it needs to go on there, and who was to give it that", plain(x.mine[len(x.mine)-1].Func), at(x.at))
	}
	f.Detail = append(f.Detail, s.standing(s.first(s.root))...)
	return f
}

// first is the process to tell first: the one of the call that hangs.
func (s *scene) first(otherwise int) int {
	if f := s.focus(); f != nil {
		return f.pid
	}
	if otherwise != 0 {
		return otherwise
	}
	return s.root
}

// bare tells a deadlock of which no snapshot, or no stack, was kept.
func bare(f Finding, d *evidence.Deadlock) Finding {
	f.Message = "no process of your program could ever go on"
	f.Detail = graphLines(d)
	f.Next = "see who was to end the first of these waits, and what that one waited for"
	for _, w := range d.Waits {
		if w.Line != nil && f.File == "" {
			f.File, f.Line, f.PID = w.Line.File, w.Line.Line, w.PID
		}
	}
	return f
}

// graphLines tells the wait-for graph, a line a wait: those of the circle first, in
// its order, and of the others some.
func graphLines(d *evidence.Deadlock) []string {
	const others = 4
	var lines []string
	for _, pid := range d.Circle {
		next := d.Circle[(slices.Index(d.Circle, pid)+1)%len(d.Circle)]
		i := slices.IndexFunc(d.Waits, func(w evidence.Wait) bool { return w.PID == pid && slices.Contains(w.On, next) })
		if i >= 0 {
			lines = append(lines, waitLines(d.Waits[i])...)
		}
	}
	more := 0
	for _, w := range d.Waits {
		switch {
		case slices.Contains(d.Circle, w.PID):
		case more < others:
			lines = append(lines, waitLines(w)...)
			more++
		default:
			more++
		}
	}
	if more > others {
		lines = append(lines, fmt.Sprintf("and %d more waited", more-others))
	}
	return lines
}

// waitLines tells one wait:
//
//	pid 20819 "philosopher" waited for lock fork-000 at deadlock.go:120
//	    held by pid 20828
func waitLines(w evidence.Wait) []string {
	line := fmt.Sprintf("pid %d %q waited for %s", w.PID, short(w.Name), w.For)
	if w.What != "" {
		line += " " + short(w.What)
	}
	if w.Line != nil {
		line += fmt.Sprintf(" at %s:%d", filepath.Base(w.Line.File), w.Line.Line)
	}
	switch {
	case len(w.On) == 0:
		return []string{line}
	case w.For == "lock":
		return []string{line, "    held by pid " + numbers(", ", w.On)}
	default:
		return []string{line, "    only pid " + numbers(", ", w.On) + " could end that"}
	}
}

// short leaves out the folders of a path, which are the check's own.
func short(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Base(name)
	}
	return name
}

func numbers(between string, pids []int) string {
	words := make([]string, len(pids))
	for i, pid := range pids {
		words[i] = fmt.Sprint(pid)
	}
	return strings.Join(words, between)
}
