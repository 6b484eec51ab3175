package detect

import (
	"fmt"
	"slices"

	"prokata/checker/internal/evidence"
)

// reads tells a goroutine of the learner's that waits for something to read.
func (s *scene) reads(x stand) bool {
	return x.edge != nil && x.edge.object != "" && x.edge.read && !x.inTest && len(x.mine) > 0 && (x.does == "read" || x.does == "poll" || x.does == "stood")
}

func (s *scene) writes(x stand) bool {
	return x.edge != nil && x.edge.object != "" && !x.edge.read && !x.inTest && len(x.mine) > 0
}

// readers are the processes that wait to read from an object.
func (s *scene) readers(object string) (all []int) {
	for _, x := range s.stands {
		if s.reads(x) && x.edge.object == object && !slices.Contains(all, x.pid) {
			all = append(all, x.pid)
		}
	}
	return all
}

// waitedFor: the call that hangs is this goroutine, or waits for it.
func (s *scene) waitedFor(x stand) bool {
	return slices.ContainsFunc(s.awaited(), func(y stand) bool { return y.pid == x.pid && y.g.ID == x.g.ID })
}

// awaited are the call that hangs and the goroutines that it waits for: those that it
// started. Where all of these wait for yet others, those of the process count that wait
// for something in the kernel; but not those that watch a child.
func (s *scene) awaited() []stand {
	f := s.focus()
	if f == nil {
		return nil
	}
	all := append([]stand{*f}, s.helpers(*f)...)
	if slices.ContainsFunc(all, func(x stand) bool { return !x.inProcess() }) {
		return all
	}
	for _, x := range s.of(f.pid) {
		if !x.inProcess() && !x.watches() && x.does != "accept" && len(x.mine) > 0 {
			all = append(all, x)
		}
	}
	return all
}

// watches tells a goroutine that does nothing but wait for a child: go func() { cmd.Wait() }.
func (x stand) watches() bool {
	return x.does == "child" && len(x.mine) == 1 && x.role == helper
}

// made tells where the learner made an object, as a line of proof.
func (s *scene) made(object string) (lines []string) {
	if f := s.opened(object); f != nil {
		lines = append(lines, fmt.Sprintf("it was opened at %s", at(*f)))
	}
	return lines
}

func writeFirst(s *scene) *cause {
	for _, x := range s.stands {
		if !s.writes(x) {
			continue
		}
		for _, y := range s.stands {
			if y.pid != x.pid && y.edge != nil && y.edge.object != "" && !y.edge.read &&
				slices.Contains(s.holders(x.edge), y.pid) && slices.Contains(s.holders(y.edge), x.pid) {
				return &cause{at: x}
			}
		}
	}
	return nil
}

func waitBeforeRead(s *scene) *cause {
	for _, y := range s.stands {
		if y.edge == nil || y.edge.object == "" || y.edge.read || y.does != "write" {
			continue
		}
		for _, x := range s.stands {
			if x.does == "child" && len(x.mine) > 0 && slices.Contains(s.childrenOf(x), y.pid) && slices.Contains(s.holders(y.edge), x.pid) {
				return &cause{at: x, proof: []string{fmt.Sprintf("%s wrote into the full %s, which %s did not read", s.who(y.pid), y.edge.object, s.who(x.pid))}}
			}
		}
	}
	return nil
}

func fullForItself(s *scene) *cause {
	for _, x := range s.stands {
		if s.writes(x) && x.does == "write" && !s.conversation(x) {
			if h := s.holders(x.edge); len(h) == 1 && h[0] == x.pid {
				return &cause{at: x}
			}
		}
	}
	return nil
}

func fullUnread(s *scene) *cause {
	for _, x := range s.stands {
		if s.writes(x) && x.does == "write" {
			for _, pid := range s.holders(x.edge) {
				if pid != x.pid {
					return &cause{at: x, words: []string{"{who}", s.titled(pid), "{pipe}", s.graph.objects[x.edge.object].Kind}, proof: s.made(x.edge.object)}
				}
			}
		}
	}
	return nil
}

// endOfAll: all who hold the other end wait to read.
func endOfAll(s *scene) *cause {
	for _, x := range s.stands {
		if !s.reads(x) {
			continue
		}
		readers, h := s.readers(x.edge.object), s.holders(x.edge)
		// Those of which no stack could be had read it, too, if they wait for it.
		for _, y := range s.stands {
			if y.edge != nil && y.edge.object == x.edge.object && y.edge.read && !slices.Contains(readers, y.pid) {
				readers = append(readers, y.pid)
			}
		}
		if len(readers) > 1 && len(h) == len(readers) && !slices.ContainsFunc(h, func(pid int) bool { return !slices.Contains(readers, pid) }) {
			c := &cause{at: x, words: []string{"{n}", fmt.Sprint(len(readers))}}
			c.proof = append([]string{fmt.Sprintf("the other end of %s was held by %s alone, who read from it", s.thing(x.edge), s.several(h))}, s.made(x.edge.object)...)
			return c
		}
	}
	return nil
}

// stranger: the holder of an end is no child of the reader, and no parent of it: it has
// inherited what it holds.
func (s *scene) stranger(holder, reader int) bool {
	h, r := s.graph.nodes[holder], s.graph.nodes[reader]
	if holder == reader || holder == s.root || reader != s.root && r.Parent == s.graph.root {
		return false
	}
	return h.Parent != reader && r.Parent != holder && (h.Parent != r.Parent || h.Parent == s.graph.root)
}

func endPassedOn(s *scene) *cause { return s.heldByStranger(func(fd int) bool { return fd > 2 }) }

func outputHeld(s *scene) *cause { return s.heldByStranger(func(fd int) bool { return fd <= 2 }) }

// heldByStranger finds an end that a descendant of the reader's child holds, and at most
// the child itself.
func (s *scene) heldByStranger(as func(fd int) bool) *cause {
	for _, x := range s.stands {
		if !s.reads(x) && !s.readsForTest(x) {
			continue
		}
		h := slices.DeleteFunc(s.holders(x.edge), func(pid int) bool { return pid == x.pid })
		strange := slices.DeleteFunc(slices.Clone(h), func(pid int) bool { return !s.stranger(pid, x.pid) })
		if len(strange) == 0 || slices.ContainsFunc(h, func(pid int) bool {
			return !slices.Contains(strange, pid) && !slices.ContainsFunc(strange, func(q int) bool { return s.graph.nodes[q].Parent == pid })
		}) {
			continue
		}
		for _, handle := range s.graph.nodes[strange[0]].Handles {
			if !slices.Contains(s.both(x.edge.object), handle.Object) {
				continue
			}
			if !as(handle.FD) {
				break
			}
			c := &cause{at: x, words: []string{"{holder}", s.titled(strange[0])}, proof: append(s.descent(x, strange[0]), s.made(x.edge.object)...)}
			if len(x.mine) == 0 {
				c.frame = s.opened(x.edge.object)
			}
			return c
		}
	}
	return nil
}

// readsForTest tells a goroutine of the tests' that reads what the learner's code opened.
func (s *scene) readsForTest(x stand) bool {
	return x.edge != nil && x.edge.object != "" && x.edge.read && x.role == tests && s.opened(x.edge.object) != nil
}

// descent says how a process came by an end: through whom it was started.
func (s *scene) descent(x stand, holder int) []string {
	lines := []string{fmt.Sprintf("%s held the other end of %s", s.who(holder), s.thing(x.edge))}
	parent := 0
	for _, p := range s.test.Processes {
		if p.PID == holder {
			parent = p.Parent
		}
	}
	for _, o := range s.test.Openings {
		if o.Kind == "child" && o.Child == holder {
			parent = o.PID
		}
	}
	if n := s.graph.nodes[holder]; parent == 0 || parent == s.graph.root {
		parent = n.Parent
	}
	if parent != 0 && parent != s.graph.root {
		return append(lines, fmt.Sprintf("it inherited that from %s, which had started it", s.who(parent)))
	}
	if dead := s.ended(); len(dead) > 0 {
		lines = append(lines, fmt.Sprintf("it inherited that from its parent, which had ended (%s)", s.who(dead[len(dead)-1].PID)))
	}
	return lines
}

// endInherited: a child holds the ends that were made, at one place, for its brothers.
func endInherited(s *scene) *cause {
	for _, x := range s.stands {
		if !s.reads(x) {
			continue
		}
		for _, q := range s.holders(x.edge) {
			if q == x.pid || s.graph.nodes[q].Parent != x.pid || !s.brothers(q) {
				continue
			}
			site := s.surely(x.edge.object)
			if site == nil {
				continue
			}
			ends := s.madeAt(q, *site)
			if len(ends) < 2 || len(ends) <= s.fewest(x.pid, *site) {
				continue
			}
			return &cause{at: x, words: []string{"{holder}", s.titled(q)}, proof: []string{
				fmt.Sprintf("%s held %d of the ends that were opened at %s, one for each child", s.who(q), len(ends), at(*site)),
			}}
		}
	}
	return nil
}

// brothers: the parent of a process has, or had, other children that the learner started.
func (s *scene) brothers(pid int) bool {
	return slices.ContainsFunc(s.test.Openings, func(o evidence.Opening) bool {
		return o.Kind == "child" && o.Child != pid && o.PID == s.graph.nodes[pid].Parent
	})
}

// madeAt are the objects opened at one place, an end of which a process holds. The two
// ends of a pair are one.
func (s *scene) madeAt(pid int, site evidence.Frame) (all []string) {
	for _, h := range s.graph.nodes[pid].Handles {
		f := s.surely(h.Object)
		if f == nil || f.Line != site.Line || f.File != site.File {
			continue
		}
		pair := slices.Min(s.both(h.Object))
		if !slices.Contains(all, pair) {
			all = append(all, pair)
		}
	}
	return all
}

// fewest is how many of those the child with the fewest has, of all children of a
// process: as many each of them was meant to have.
func (s *scene) fewest(parent int, site evidence.Frame) int {
	n := -1
	for _, c := range s.graph.children[parent] {
		if k := len(s.madeAt(c, site)); !s.graph.ended(c) && k > 0 && (n < 0 || k < n) {
			n = k
		}
	}
	if len(s.graph.children[parent]) < 2 {
		return 1
	}
	return max(n, 0)
}

// ownEnd: the reader alone holds the other end, and there was a child that it was for.
func ownEnd(s *scene) *cause {
	for _, x := range s.stands {
		if !s.reads(x) || !slices.Contains(s.holders(x.edge), x.pid) {
			continue
		}
		h := s.holders(x.edge)
		alone := len(h) == 1
		if !alone || len(s.ended()) == 0 {
			continue
		}
		if !s.waitedFor(x) && !s.brotherKept(x) || s.conversation(x) || s.served(x) {
			continue
		}
		c := &cause{at: x, proof: []string{fmt.Sprintf("the other end of %s was held by %s alone, who read from it", s.thing(x.edge), s.who(x.pid))}}
		if f := s.opened(x.edge.object); f != nil {
			c.proof = append(c.proof, "it was opened at "+at(*f)+", and there, or behind the child's start, the close is missing")
		}
		return c
	}
	return nil
}

// conversation: a goroutine of the same process waits at the other end, so that it is in
// use, and nothing that was forgotten.
func (s *scene) conversation(x stand) bool {
	return slices.ContainsFunc(s.of(x.pid), func(y stand) bool {
		return y.g.ID != x.g.ID && y.edge != nil && slices.Contains(s.graph.objects[x.edge.object].Peers, y.edge.object)
	})
}

// served: a socket, read by a goroutine that nobody waits for in particular, may well
// have its client in the same process, idle.
func (s *scene) served(x stand) bool {
	f := s.focus()
	direct := f != nil && (f.g.ID == x.g.ID && f.pid == x.pid || f.startedBy(x))
	return s.graph.objects[x.edge.object].Kind != "pipe" && !direct && !s.brotherKept(x)
}

// brotherKept: of another pair that was opened at the same place, the reader holds the
// end that a child has.
func (s *scene) brotherKept(x stand) bool {
	site := s.opened(x.edge.object)
	if site == nil {
		return false
	}
	for _, y := range s.stands {
		if y.pid == x.pid && s.reads(y) && y.edge.object != x.edge.object {
			if f := s.opened(y.edge.object); f != nil && *f == *site && slices.Contains(s.holders(y.edge), x.pid) && len(s.holders(y.edge)) > 1 {
				return true
			}
		}
	}
	return false
}

func alone(s *scene) *cause {
	for _, x := range s.stands {
		if s.reads(x) && s.waitedFor(x) && !s.conversation(x) && !s.served(x) {
			if h := s.holders(x.edge); len(h) == 1 && h[0] == x.pid {
				return &cause{at: x, proof: s.made(x.edge.object)}
			}
		}
	}
	return nil
}

// wantedByAll: one read takes what all of them wait for.
func wantedByAll(s *scene) *cause {
	for _, x := range s.stands {
		if !s.reads(x) || x.role != called {
			continue
		}
		n := 0
		for _, y := range s.stands {
			if s.reads(y) && y.edge.object == x.edge.object && y.at == x.at {
				n++
			}
		}
		if n > 1 {
			return &cause{at: x, words: []string{"{n}", fmt.Sprint(n), "{pipe}", s.graph.objects[x.edge.object].Kind}, proof: s.made(x.edge.object)}
		}
	}
	return nil
}

// noLimit: a connection to another place, from which nothing came.
func noLimit(s *scene) *cause {
	for _, x := range s.stands {
		if s.reads(x) && x.role == called && s.graph.objects[x.edge.object].Kind == "tcp" {
			return &cause{at: x}
		}
	}
	return nil
}

// copyKept: the test waits for the end of a child, which reads to the end of what the
// learner's code in the test's process holds open.
func copyKept(s *scene) *cause {
	for _, w := range s.stands {
		if w.does != "child" || w.role != tests {
			continue
		}
		for _, child := range s.childrenOf(w) {
			for _, x := range s.of(child) {
				if !s.reads(x) || s.opened(x.edge.object) == nil {
					continue
				}
				if h := s.holders(x.edge); len(h) == 1 && h[0] == w.pid {
					return &cause{at: x, frame: s.opened(x.edge.object), words: []string{"{who}", s.titled(child)}}
				}
			}
		}
	}
	return nil
}

// stillHeld: the test reads to the end of something of its own, and nothing but its own
// process has the other end: the learner's code in it has kept what it was handed.
func stillHeld(s *scene) *cause {
	for _, x := range s.stands {
		if x.edge == nil || x.edge.object == "" || !x.edge.read || x.role != tests || x.pid != s.root || s.opened(x.edge.object) != nil {
			continue
		}
		if h := s.holders(x.edge); len(h) == 1 && h[0] == x.pid && !s.conversation(x) {
			c := &cause{at: x}
			for _, handle := range s.graph.nodes[x.pid].Handles {
				if slices.Contains(s.both(x.edge.object), handle.Object) && handle.Write {
					c.proof = append(c.proof, fmt.Sprintf("descriptor %d of %s was the other end", handle.FD, s.who(x.pid)))
				}
			}
			return c
		}
	}
	return nil
}
