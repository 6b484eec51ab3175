package detect

import (
	"fmt"
	"slices"

	"prokata/checker/internal/evidence"
)

// overflowed finds what only looks like a deadlock: the learner's processes called a
// function of the tests so often that the pipe by which it tells the test was full, and
// nobody reads it before the end. They were busy, and nothing got done.
func overflowed(run evidence.Run, t evidence.Test) (Finding, bool) {
	s := newScene(run, t)
	if s == nil {
		return Finding{}, false
	}
	for _, x := range s.stands {
		if !x.inTest || len(x.mine) == 0 || x.does != "write" || x.edge == nil || x.edge.object == "" || s.opened(x.edge.object) != nil {
			continue
		}
		pipe := s.graph.objects[x.edge.object].Kind == "pipe"
		readers := s.holders(x.edge)
		if !pipe || !slices.Contains(readers, s.root) || slices.ContainsFunc(s.stands, func(y stand) bool {
			return y.pid == s.root && len(y.mine) > 0 && !y.inProcess() && y.does != "read" && y.does != "child"
		}) {
			continue
		}
		f := Finding{
			Test: t.Name, PID: x.pid, File: x.at.File, Line: x.at.Line,
			Message: "your processes did the same again and again, and nothing got done",
			Detail: append([]string{
				fmt.Sprintf("%s came to %s until the test's own %s was full of it", s.who(x.pid), at(x.at), s.thing(x.edge)),
			}, s.standing(x.pid)...),
			Next: "see what sends them back there again and again: who holds on to something while it stands back lets nobody else go on",
		}
		return f, true
	}
	return Finding{}, false
}
