package detect

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
)

// waitsForChild are the goroutines that wait for the end of a child, those first for
// which the call that hangs waits. One that nobody waits for watches, by design, and
// counts only where there is nothing else: where the call itself waits for a goroutine,
// and none of its own stands anywhere.
func (s *scene) waitsForChild() (all []stand) {
	var watchers []stand
	f := s.focus()
	for _, x := range s.stands {
		if x.does != "child" || len(x.mine) == 0 || len(s.childrenOf(x)) == 0 {
			continue
		}
		if s.waitedFor(x) {
			all = append(all, x)
		} else {
			watchers = append(watchers, x)
		}
	}
	if len(all) == 0 && f != nil && (f.does == "chan receive" || f.does == "select" || f.does == "sync.WaitGroup.Wait") {
		mine := s.helpers(*f)
		busy := slices.ContainsFunc(mine, func(h stand) bool { return !h.inProcess() || h.inTest })
		for _, w := range watchers {
			if w.pid == f.pid && !busy {
				all = append(all, w)
			}
		}
	}
	return all
}

// childrenOf are the children for one of which a goroutine waits, alive: the one, where
// that is known.
func (s *scene) childrenOf(x stand) (all []int) {
	edges := s.graph.position(x.pid).edges
	if x.edge != nil {
		edges = []edge{*x.edge}
	}
	for _, e := range edges {
		for _, pid := range e.wakers {
			if e.kind == "child" && !s.graph.ended(pid) && !slices.Contains(all, pid) {
				all = append(all, pid)
			}
		}
	}
	return all
}

// childWaits are the waits for children, a child each. A child that another goroutine is
// known to wait for is not meant by one of which that is not known.
func (s *scene) childWaits() (all []childWait) {
	for _, x := range s.waitsForChild() {
		for _, c := range s.childrenOf(x) {
			all = append(all, childWait{x, c})
		}
	}
	return all
}

type childWait struct {
	stand
	child int
}

// place is where a wait for a child is told: at the call that hangs, if that is what the
// goroutine which waits is for, and not the watching goroutine itself.
func (s *scene) place(x stand) stand {
	if f := s.focus(); f != nil && f.pid == x.pid && !s.waitedFor(x) {
		return *f
	}
	return x
}

// entryOf are the goroutines of a child that are no helpers waiting for input: what it is
// about.
func (s *scene) entryOf(pid int) (all []stand) {
	for _, x := range s.of(pid) {
		if x.role == entry || x.role == called {
			all = append(all, x)
		}
	}
	return all
}

func waitsInACircle(s *scene) *cause {
	var waits []evidence.Wait
	children := s.childWaits()
	for _, x := range children {
		waits = append(waits, evidence.Wait{PID: x.pid, For: "child", On: []int{x.child}})
	}
	for _, pid := range s.graph.order {
		stands := s.of(pid)
		for _, x := range stands {
			if x.does != "child" && x.role != tests && x.edge != nil && x.edge.kind != "harness" {
				if h := s.holders(x.edge); len(h) > 0 && !slices.Contains(h, pid) {
					waits = append(waits, evidence.Wait{PID: pid, On: h})
				}
			}
		}
		if len(stands) == 0 && pid != s.root {
			waits = append(waits, s.graph.waits(pid)...)
		}
	}
	for _, x := range children {
		var without []evidence.Wait
		child := x.child
		for _, w := range waits {
			if w.PID == child { // a server that waits for us waits for its clients too
				w.On = slices.DeleteFunc(slices.Clone(w.On), func(pid int) bool { return pid == x.pid })
			}
			without = append(without, w)
		}
		if slices.ContainsFunc(waits, func(w evidence.Wait) bool { return w.PID == child && slices.Contains(w.On, x.pid) }) {
			continue // the two alone are one already
		}
		round := circle(without)
		if len(round) < 3 || !slices.Contains(round, x.pid) {
			continue
		}
		at := slices.Index(round, x.pid)
		round = append(slices.Clone(round[at:]), round[:at]...)
		c := &cause{at: s.place(x.stand), words: []string{"{n}", fmt.Sprint(len(round)), "{server}", fmt.Sprintf("%q", short(s.graph.nodes[child].Name))}}
		for i, pid := range round {
			how := "for something that only %s could do"
			if i == 0 {
				how = "for the end of %s"
			}
			c.proof = append(c.proof, s.who(pid)+" waited "+fmt.Sprintf(how, s.who(round[(i+1)%len(round)])))
		}
		return c
	}
	return nil
}

// inputs are the pipes of a child's that it reads and its parent alone can write.
func (s *scene) inputs(child, parent int) (all []stand) {
	for _, y := range s.of(child) {
		if y.edge != nil && y.edge.object != "" && y.edge.read && (y.does == "read" || y.does == "stood") {
			if h := s.holders(y.edge); len(h) == 1 && h[0] == parent {
				all = append(all, y)
			}
		}
	}
	return all
}

func clientsFirst(s *scene) *cause {
	for _, x := range s.childWaits() {
		child := x.child
		for _, e := range s.entryOf(child) {
			if !e.inProcess() {
				continue
			}
			for _, y := range s.inputs(child, x.pid) {
				if s.graph.objects[y.edge.object].Kind != "pipe" {
					return &cause{at: s.place(x.stand), words: []string{"{who}", s.titled(child)}}
				}
			}
		}
	}
	return nil
}

func notAskedToEnd(s *scene) *cause {
	for _, x := range s.childWaits() {
		child := x.child
		ins := s.inputs(child, x.pid)
		if len(ins) == 0 || slices.ContainsFunc(s.entryOf(child), func(e stand) bool { return e.inTest }) {
			continue
		}
		c := &cause{at: s.place(x.stand), words: []string{"{who}", s.titled(child)}}
		c.proof = []string{fmt.Sprintf("%s read from %s, which only %s could close", s.who(child), s.thing(ins[0].edge), s.who(x.pid))}
		if f := s.opened(ins[0].edge.object); f != nil {
			c.proof[0] += fmt.Sprintf(" (opened at %s)", at(*f))
		}
		return c
	}
	return nil
}

func childNeedsOthers(s *scene) *cause {
	for _, x := range s.childWaits() {
		child := x.child
		for _, e := range s.of(child) {
			if e.inTest && len(e.mine) > 0 && !e.inProcess() {
				return &cause{at: s.place(x.stand), words: []string{"{who}", s.titled(child)}}
			}
		}
	}
	return nil
}

// orphans: the test stands in no function of the learner's, and a process lives on whose
// parent, the one that was tested, has ended.
func orphans(s *scene) *cause {
	if slices.ContainsFunc(s.of(s.root), func(x stand) bool { return len(x.mine) > 0 }) {
		return nil
	}
	for _, x := range s.stands {
		if x.pid != s.root && len(x.mine) > 0 && s.graph.nodes[x.pid].Parent == s.graph.root {
			return &cause{at: x, line: func(x stand) int { return len(x.mine) - 1 }, words: []string{"{who}", s.titled(x.pid)}}
		}
	}
	return nil
}

func childNeverEnds(s *scene) *cause {
	for _, x := range s.childWaits() {
		return &cause{at: s.place(x.stand), words: []string{"{who}", s.titled(x.child)}}
	}
	return nil
}

// serverBusy: the entry of a child, which is to accept, reads from one client, while
// others stand in a call to it.
func serverBusy(s *scene) *cause {
	for _, y := range s.stands {
		if y.role != entry || y.edge == nil || y.edge.object == "" || !y.edge.read || s.graph.objects[y.edge.object].Kind == "pipe" {
			continue
		}
		listens := slices.ContainsFunc(s.graph.nodes[y.pid].Handles, func(h evidence.Handle) bool { return s.graph.objects[h.Object].Kind == "listener" })
		accepts := slices.ContainsFunc(s.of(y.pid), func(x stand) bool { return x.does == "accept" })
		if !listens || accepts {
			continue
		}
		c := &cause{at: y, words: []string{"{who}", s.titled(y.pid)}}
		c.proof = []string{fmt.Sprintf("%s listened, and no goroutine of it accepted: it read from %s", s.who(y.pid), s.several(s.holders(y.edge)))}
		return c
	}
	return nil
}

// talks finds a goroutine of the call that hangs that reads what a process alone can
// write, and one of that process which reads what the first can.
func (s *scene) talks(fits func(x, y stand) bool) (x, y stand, ok bool) {
	for _, x := range s.stands {
		if !s.reads(x) || !s.waitedFor(x) {
			continue
		}
		for _, pid := range s.holders(x.edge) {
			for _, y := range s.of(pid) {
				if pid != x.pid && y.edge != nil && y.edge.object != "" && y.edge.read && slices.Contains(s.holders(y.edge), x.pid) && fits(x, y) {
					return x, y, true
				}
			}
		}
	}
	return stand{}, stand{}, false
}

// endNotSaid: the other side reads to the end.
func endNotSaid(s *scene) *cause {
	x, y, ok := s.talks(func(_, y stand) bool {
		return len(y.mine) > 0 && !y.inTest && slices.ContainsFunc(y.g.Frames, func(f evidence.Frame) bool {
			return f.Func == "io.ReadAll" || f.Func == "io.Copy"
		}) && y.role != helper
	})
	if !ok {
		return nil
	}
	c := &cause{at: x, words: []string{"{who}", s.titled(y.pid)}, proof: []string{fmt.Sprintf("%s read to the end of %s, which %s held open", s.who(y.pid), s.thing(y.edge), s.several(s.holders(y.edge)))}}
	if f := s.opened(y.edge.object); f != nil {
		c.proof[0] += fmt.Sprintf(" (opened at %s)", at(*f))
	}
	return c
}

func everybodyListens(s *scene) *cause {
	x, y, ok := s.talks(func(_, y stand) bool { return len(y.mine) > 0 && !y.inTest })
	if !ok {
		return nil
	}
	return &cause{at: x, words: []string{"{who}", s.titled(x.pid), "{other}", s.titled(y.pid)}, proof: []string{
		fmt.Sprintf("%s read at %s what %s was to write, and the other way round", s.who(y.pid), at(y.at), s.who(x.pid)),
	}}
}

// someNotTold: of several children that do the same, some are back from their call and
// the others wait in it for a message of their parent's.
func someNotTold(s *scene) *cause {
	for _, x := range s.stands {
		if x.role != called || !s.reads(x) || x.pid == s.root {
			continue
		}
		name := s.graph.nodes[x.pid].Name
		waiting, back := 0, 0
		for pid, n := range s.graph.nodes {
			switch {
			case n.Name != name || s.graph.ended(pid):
			case slices.ContainsFunc(s.of(pid), func(y stand) bool { return s.reads(y) && y.at == x.at }):
				waiting++
			case !slices.ContainsFunc(s.of(pid), func(y stand) bool { return len(y.mine) > 0 }):
				back++
			}
		}
		if waiting < 2 || back == 0 {
			continue
		}
		return &cause{at: x, words: []string{"{told}", fmt.Sprint(back), "{all}", fmt.Sprint(waiting + back)}}
	}
	return nil
}

// killedWorker: a child had ended before, one of those that the learner started, and what
// hangs waits for nobody who could do anything.
func killedWorker(s *scene) *cause {
	f := s.focus()
	if f == nil || strings.HasPrefix(f.does, "chan send") || !f.inProcess() && !s.reads(*f) {
		return nil
	}
	if slices.ContainsFunc(s.helpers(*f), func(h stand) bool { return h.inTest }) {
		return nil
	}
	for _, p := range slices.Backward(s.ended()) {
		started := slices.ContainsFunc(s.test.Openings, func(o evidence.Opening) bool { return o.Kind == "child" && o.Child == p.PID })
		if !started {
			continue
		}
		return &cause{at: *f, words: []string{"{dead}", s.titled(p.PID)}}
	}
	return nil
}

// answerNeedsOthers: the one process that could send what is waited for is a child in a
// function of the tests, which waits at a FIFO, whose object is a path: a gate of the test's,
// and no pipe of the learner's.
func answerNeedsOthers(s *scene) *cause {
	for _, x := range s.stands {
		if held := s.holders(x.edge); s.reads(x) && (x.role == called || s.waitedFor(x)) && len(held) == 1 && held[0] != x.pid {
			for _, e := range s.of(held[0]) {
				if e.inTest && len(e.mine) > 0 && e.edge != nil && e.edge.read && filepath.IsAbs(e.edge.object) {
					return &cause{at: s.place(x), words: []string{"{who}", s.titled(held[0])}}
				}
			}
		}
	}
	return nil
}

func messageGone(s *scene) *cause {
	for _, x := range s.stands {
		if s.reads(x) && (x.role == called || s.waitedFor(x)) {
			return &cause{at: x, proof: append([]string{fmt.Sprintf("only %s could write to %s", s.several(s.holders(x.edge)), s.thing(x.edge))}, s.made(x.edge.object)...)}
		}
	}
	return nil
}
