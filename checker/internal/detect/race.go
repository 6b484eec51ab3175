package detect

import (
	"fmt"

	"prokata/checker/internal/evidence"
)

var race = Detector{
	Code:  "race",
	Title: "two goroutines used one variable, and nothing ordered them",
	Doc: `Two goroutines of one process touched the same memory, at least one of them wrote, and
no lock, channel or wait stood between them. What such a program does is undefined, also
when it looks right today. The race detector watched every process, children too.

WRONG   for range n { go func() { buf.WriteString(line()) }() }
RIGHT   for range n { go func() { l := line(); mu.Lock(); buf.WriteString(l); mu.Unlock() }() }`,
	Detect: func(run evidence.Run) []Finding {
		var all []Finding
		for _, t := range run.Tests {
			seen := map[string]bool{}
			for _, r := range t.Races {
				f := Finding{
					Code: "race", Test: t.Name, PID: r.PID,
					Message: "two goroutines of one process used the same variable at the same time",
					Next:    "let a lock or a channel order the two places",
				}
				for _, a := range r.Accesses {
					frame, ok := learner(run, a.Frames)
					if !ok && len(a.Frames) > 0 {
						frame = a.Frames[0]
					}
					if ok && f.File == "" {
						f.File, f.Line = frame.File, frame.Line
					}
					f.Detail = append(f.Detail, fmt.Sprintf("%s at %s:%d", a.Op, frame.File, frame.Line))
				}
				key := fmt.Sprint(f.File, f.Line, f.Detail)
				if !seen[key] {
					seen[key] = true
					all = append(all, f)
				}
			}
		}
		return all
	},
}
