package detect

import (
	"fmt"
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
			d := t.Deadlock
			if d == nil || d.Expected {
				continue
			}
			f := Finding{
				Code: "deadlock", Test: t.Name, Message: "no process of your program could ever go on",
				Next: "break the circle: take locks in one order, close what you do not use",
			}
			for _, w := range d.Waits {
				line := fmt.Sprintf("pid %d %q waited for %s %s", w.PID, w.Name, w.For, w.What)
				if w.Line != nil {
					line += fmt.Sprintf(" at %s:%d", w.Line.File, w.Line.Line)
					if f.File == "" {
						f.File, f.Line, f.PID = w.Line.File, w.Line.Line, w.PID
					}
				}
				f.Detail = append(f.Detail, line)
			}
			if len(d.Circle) > 0 {
				var names []string
				for _, pid := range append(d.Circle[:len(d.Circle):len(d.Circle)], d.Circle[0]) {
					names = append(names, fmt.Sprintf("pid %d", pid))
				}
				f.Detail = append(f.Detail, "the circle: "+strings.Join(names, " -> "))
			}
			all = append(all, f)
		}
		return all
	},
}
