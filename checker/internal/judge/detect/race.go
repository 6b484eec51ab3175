package detect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

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
// files and tells of each, a write before a read: one race is told in one way, whichever
// side came first. The key is the same for the same places, whichever processes met there.
func (f Finding) between(run evidence.Run, accesses []evidence.Access, tell func(a evidence.Access, at string) string) (_ Finding, key string) {
	type side struct {
		evidence.Access
		frame evidence.Frame
		own   bool
	}
	var sides []side
	for _, a := range accesses {
		frame, ok := learner(run, a.Frames)
		if !ok && len(a.Frames) > 0 {
			frame = a.Frames[0]
		}
		sides = append(sides, side{a, frame, ok})
	}
	rank := func(s side) int { return strings.Count(s.Op, "read") } // 0: it writes
	slices.SortStableFunc(sides, func(a, b side) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.frame.File, b.frame.File), cmp.Compare(a.frame.Line, b.frame.Line))
	})
	for _, s := range sides {
		if s.own && f.File == "" {
			f.File, f.Line, f.PID = s.frame.File, s.frame.Line, cmp.Or(f.PID, s.PID)
		}
		at := fmt.Sprintf("%s:%d", s.frame.File, s.frame.Line)
		key += s.Op + " " + at + " "
		f.Detail = append(f.Detail, tell(s.Access, at))
	}
	return f, key
}
