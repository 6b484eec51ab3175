package detect

import (
	"fmt"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
)

func halted(s *scene) *cause {
	for _, pid := range s.graph.order {
		n := s.graph.nodes[pid]
		if slices.ContainsFunc(n.Threads, func(t evidence.Thread) bool { return t.State == "T" }) {
			c := &cause{words: []string{"{who}", s.titled(pid)}, proof: []string{s.who(pid) + " was stopped by a signal"}}
			if f := s.focus(); f != nil {
				c.at = *f
			}
			return c
		}
	}
	return nil
}

// outside is the frame that called the type which the innermost one belongs to: where a
// lock is taken says more than where the lock's own method calls the kernel.
func outside(x stand) int {
	kind, _, method := strings.Cut(base(x.at.Func), ").")
	if !method {
		return 0
	}
	for i, f := range x.mine {
		if k, _, _ := strings.Cut(base(f.Func), ")."); k != kind {
			return i
		}
	}
	return 0
}

// locked are the goroutines that wait for a lock on a file.
func (s *scene) locked() (all []stand) {
	for _, x := range s.stands {
		if x.edge != nil && x.edge.kind == "lock" && len(x.mine) > 0 {
			all = append(all, x)
		}
	}
	return all
}

func lockCircle(s *scene) *cause {
	var waits []evidence.Wait
	for _, x := range s.locked() {
		waits = append(waits, evidence.Wait{PID: x.pid, On: s.holders(x.edge)})
	}
	round := circle(waits)
	if len(round) < 2 {
		return nil
	}
	c := &cause{line: outside, words: []string{"{n}", fmt.Sprint(len(round))}}
	for i, pid := range round {
		at := slices.IndexFunc(s.locked(), func(x stand) bool { return x.pid == pid && slices.Contains(s.holders(x.edge), round[(i+1)%len(round)]) })
		if at < 0 {
			return nil
		}
		x := s.locked()[at]
		if i == 0 {
			c.at = x
		}
		c.proof = append(c.proof, fmt.Sprintf("%s waited for %s, held by pid %d", s.who(pid), short(x.edge.what), round[(i+1)%len(round)]))
	}
	if len(c.proof) > 5 {
		c.proof = append(c.proof[:4], fmt.Sprintf("and so on, back to pid %d", round[0]))
	}
	return c
}

func lockOfItself(s *scene) *cause {
	for _, x := range s.locked() {
		if h := s.holders(x.edge); len(h) == 1 && h[0] == x.pid {
			return &cause{at: x, line: outside}
		}
	}
	return nil
}

// lockTooWide: who holds the lock was sent on, by the learner's code, into a function of
// the tests, and the others cannot.
func lockTooWide(s *scene) *cause {
	c := lockKept(s)
	if c == nil {
		return nil
	}
	for _, h := range s.holders(c.at.edge) {
		if y := slices.IndexFunc(s.stands, func(y stand) bool { return y.pid == h && y.inTest && len(y.mine) > 0 }); y >= 0 {
			c.proof = append(c.proof, fmt.Sprintf("%s had gone on from %s with it", s.who(h), at(s.stands[y].at)))
			return c
		}
	}
	return nil
}

func lockKept(s *scene) *cause {
	for _, x := range s.locked() {
		for _, holder := range s.holders(x.edge) {
			if slices.ContainsFunc(s.locked(), func(y stand) bool { return y.pid == holder }) {
				continue
			}
			c := &cause{at: x, line: outside, words: []string{"{holder}", s.titled(holder)}}
			c.proof = []string{fmt.Sprintf("%s waited for %s; %s held it", s.who(x.pid), short(x.edge.what), s.who(holder))}
			return c
		}
	}
	return nil
}

// permits: several read from a pipe of which everybody has both ends. It is a semaphore
// made of bytes; a stream has an end for each.
func permits(s *scene) *cause {
	for _, x := range s.stands {
		if !s.reads(x) || s.graph.objects[x.edge.object].Kind != "pipe" {
			continue
		}
		readers := s.readers(x.edge.object)
		h := s.holders(x.edge)
		others := slices.DeleteFunc(slices.Clone(h), func(pid int) bool { return slices.Contains(readers, pid) })
		bothEnds := !slices.ContainsFunc(h, func(pid int) bool { return !slices.Contains(s.graph.readers[x.edge.object], pid) })
		if len(others) == 0 || !bothEnds || !slices.Contains(h, x.pid) {
			continue
		}
		n := "a process"
		if len(readers) > 1 {
			n = fmt.Sprintf("%d processes", len(readers))
		}
		c := &cause{at: x, line: outside, words: []string{"{n}", n}}
		c.proof = []string{fmt.Sprintf("%s was empty, and each process that has it waited", s.thing(x.edge))}
		if dead := s.ended(); len(dead) > 0 {
			c.proof = append(c.proof, fmt.Sprintf("%s had ended; what it took it could not give back", s.who(dead[len(dead)-1].PID)))
		}
		return c
	}
	return nil
}

func sharedWord(s *scene) *cause {
	for _, x := range s.stands {
		if x.edge != nil && x.edge.kind == "futex" && x.edge.what != "" && len(x.mine) > 0 && strings.HasPrefix(x.edge.what, "a word in") {
			c := &cause{at: x, line: outside}
			if dead := s.ended(); len(dead) > 0 {
				c.proof = []string{s.who(dead[len(dead)-1].PID) + " had ended, maybe with the lock"}
			}
			return c
		}
	}
	return nil
}

// contextOver: the function that hangs takes a context, and the test has ended the one
// that it was handed. Kind is what the innermost wait is for; "" is any.
func contextOver(kinds ...string) func(*scene) *cause {
	return func(s *scene) *cause {
		for _, x := range s.stands {
			if x.role != called || x.inTest {
				continue
			}
			function, ok := s.over(x)
			if !ok {
				continue
			}
			in := x
			if x.inProcess() {
				for _, h := range s.behind(x) {
					if h.does == "child" || in.does == x.does && !h.inProcess() {
						in = h
					}
				}
			}
			// What a child prints ends with the child.
			if h := s.holders(in.edge); in.does == "read" && len(h) > 0 && !slices.ContainsFunc(h, func(pid int) bool { return s.graph.nodes[pid].Parent != x.pid }) {
				in.does = "child"
			}
			if kinds[0] != "" && !slices.Contains(kinds, in.does) {
				continue
			}
			return &cause{at: x, words: []string{"{function}", function}}
		}
		return nil
	}
}

// behind are the goroutines that x waits for, as far as that is known.
func (s *scene) behind(x stand) []stand {
	if f := s.focus(); f != nil && f.pid == x.pid && f.g.ID == x.g.ID {
		return s.awaited()
	}
	return s.helpers(x)
}

// over says which function of the learner's, called by the test with a context that has
// ended, x still is in.
func (s *scene) over(x stand) (function string, ok bool) {
	outer := x.mine[len(x.mine)-1]
	takes := ""
	for _, f := range x.mine { // the outermost that takes one
		for _, site := range s.run.Sites {
			if site.Kind == "takes" && site.Frame.Func == strings.ReplaceAll(base(f.Func), "[go.shape", "[") && leaf(f.File) == leaf(site.Frame.File) {
				takes = f.Func
			}
		}
	}
	if takes == "" || plain(takes) != plain(outer.Func) {
		return "", false
	}
	for _, site := range s.run.Sites {
		if site.Kind == "ended" && s.handed(x, site) && s.passed(x, site) {
			return plain(takes), true
		}
	}
	return "", false
}

func leaf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// handed: x came from the call that the site speaks of.
func (s *scene) handed(x stand, site evidence.Site) bool {
	named := func(function string) bool {
		b := base(function)
		return b == site.Name || strings.HasSuffix(b, "."+site.Name) || strings.HasSuffix(b, "."+site.Name+"[...]") || b == site.Name+"[...]"
	}
	in := false // of the function of the site
	for i, f := range x.g.Frames {
		if isTest(f) && site.Frame.Line > 0 && (base(f.Func) == site.Frame.Func || strings.HasPrefix(base(f.Func), site.Frame.Func+".")) {
			in = true
			if f.Line == site.Frame.Line && i > 0 && f.File == site.Frame.File {
				return true
			}
		}
	}
	if in {
		return false // it is there, but at another call
	}
	for _, f := range x.g.Frames {
		if named(f.Func) && (isTest(f) || site.Frame.Line == 0) {
			return true
		}
	}
	return x.g.CreatedBy != nil && named(x.g.CreatedBy.Func) && strings.HasSuffix(x.g.CreatedBy.File, "_test.go")
}

// passed: somebody stands in the function of the site, at or behind the line at which
// the context ended.
func (s *scene) passed(x stand, site evidence.Site) bool {
	for _, y := range s.stands {
		if y.pid != x.pid {
			continue
		}
		for _, f := range y.g.Frames {
			if f.File == site.Frame.File || site.Frame.File == "" {
				if b := base(f.Func); (b == site.Frame.Func || strings.HasPrefix(b, site.Frame.Func+".")) && f.Line >= site.Until {
					return true
				}
			}
		}
	}
	return false
}
