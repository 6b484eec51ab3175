package detect

import (
	"cmp"
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
				f, key := f.between(run, r.Accesses, func(a evidence.Access, at string) string { return a.Op + " at " + at })
				if !seen[key] {
					seen[key] = true
					all = append(all, f)
				}
			}
		}
		return all
	},
}

// between places the finding at the first of the accesses that is in the learner's
// files and tells of each. The key is the same for the same places, whichever processes
// met there.
func (f Finding) between(run evidence.Run, accesses []evidence.Access, tell func(a evidence.Access, at string) string) (_ Finding, key string) {
	for _, a := range accesses {
		frame, ok := learner(run, a.Frames)
		if !ok && len(a.Frames) > 0 {
			frame = a.Frames[0]
		}
		if ok && f.File == "" {
			f.File, f.Line, f.PID = frame.File, frame.Line, cmp.Or(f.PID, a.PID)
		}
		at := fmt.Sprintf("%s:%d", frame.File, frame.Line)
		key += a.Op + " " + at + " "
		f.Detail = append(f.Detail, tell(a, at))
	}
	return f, key
}
