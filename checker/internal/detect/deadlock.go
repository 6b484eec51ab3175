package detect

import (
	"fmt"
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
			for _, w := range d.Waits {
				if w.Line != nil && f.File == "" {
					f.File, f.Line, f.PID = w.Line.File, w.Line.Line, w.PID
				}
			}
			all = append(all, f)
		}
		return all
	},
}

// graphLines tells the wait-for graph, a line a wait, and its circle.
func graphLines(d *evidence.Deadlock) []string {
	var lines []string
	for _, w := range d.Waits {
		line := fmt.Sprintf("pid %d %q waited for %s", w.PID, w.Name, w.For)
		if w.What != "" {
			line += " " + w.What
		}
		if len(w.On) > 0 {
			line += ", of pid " + numbers(w.On)
		}
		if w.Line != nil {
			line += fmt.Sprintf(", at %s:%d", w.Line.File, w.Line.Line)
		}
		lines = append(lines, line)
	}
	if len(d.Circle) > 0 {
		lines = append(lines, "the circle: pid "+numbers(append(d.Circle[:len(d.Circle):len(d.Circle)], d.Circle[0])))
	}
	return lines
}

func numbers(pids []int) string {
	var b strings.Builder
	for i, pid := range pids {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, pid)
	}
	return b.String()
}
