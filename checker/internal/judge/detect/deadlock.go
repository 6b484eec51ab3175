package detect

import (
	"cmp"
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
could wake any of them: it would have stood like that for ever. The graph says who
waits for what and who could end the wait; the circle, if there is one, is the thing to
break.

WRONG   a: lock(1); lock(2)        b: lock(2); lock(1)
RIGHT   a: lock(1); lock(2)        b: lock(1); lock(2)`,
	Detect: func(run evidence.Run) []Finding {
		var all []Finding
		for _, t := range run.Tests {
			if t.Deadlock == nil || t.Deadlock.Expected {
				continue
			}
			d := &evidence.Deadlock{Waits: slices.Clone(t.Deadlock.Waits), Circle: t.Deadlock.Circle}
			Place(d, t.Stacks, func(file string) bool {
				_, ok := learner(run, []evidence.Frame{{File: file}})
				return ok
			})
			f := Finding{
				Code: "deadlock", Test: t.Name, Message: "no process of your program could ever go on",
				Next: "break the circle: take locks in one order, close what you do not use",
			}
			f.Detail = graphLines(d)
			for _, w := range slices.SortedStableFunc(slices.Values(d.Waits), func(a, b evidence.Wait) int {
				return cmp.Compare(inCircle(d.Circle, a.PID), inCircle(d.Circle, b.PID)) // the circle first
			}) {
				if w.Line != nil && f.File == "" {
					f.File, f.Line, f.PID = w.Line.File, w.Line.Line, w.PID
				}
			}
			all = append(all, f)
		}
		return all
	},
}

// inCircle is where a process stands in a circle, or behind it.
func inCircle(circle []int, pid int) int {
	if i := slices.Index(circle, pid); i >= 0 {
		return i
	}
	return len(circle)
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
	if len(d.Circle) > 0 {
		lines = append(lines, "the circle: "+numbers(" -> ", append(d.Circle[:len(d.Circle):len(d.Circle)], d.Circle[0])))
	}
	return lines
}

// waitLines tells one wait:
//
//	pid 20819 "philosopher" waited for lock fork-000 at deadlock.go:120
//	    it could be ended by pid 20828 alone
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
