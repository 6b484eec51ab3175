package detect

import (
	"fmt"
	"slices"

	"prokata/checker/internal/evidence"
)

// standing tells what each process of a test that ran out of time was doing, Go or
// not: what it waited for, or why it may have gone on by itself.
func standing(s *evidence.Snapshot) []string {
	const most = 12
	if s == nil {
		return nil
	}
	g := newGraph(*s, Question{}, false)
	var lines []string
	for _, pid := range g.order {
		if len(lines) == most {
			lines = append(lines, "and others")
			break
		}
		lines = append(lines, g.stands(pid))
	}
	return lines
}

// stands is one line:
//
//	pid 4312 "cat" waited for pipe:[77] (written by pid 4300, read by pid 4312)
func (g *graph) stands(pid int) string {
	n := g.nodes[pid]
	who := fmt.Sprintf("pid %d %q", pid, short(n.Name))
	if g.ended(pid) {
		return who + " had ended, and was not waited for"
	}
	strange := ""
	for _, t := range n.Threads {
		edges, doubt := g.thread(n, t)
		if doubt == "it runs" {
			return who + " ran"
		}
		if doubt != "" && strange == "" && !idleThread(n, t) {
			strange = doubt
		}
		p := g.positions[pid]
		p.edges = append(p.edges, edges...)
		g.positions[pid] = p
	}
	line := who
	for i, w := range g.waits(pid) {
		if i == 3 {
			line += ", …"
			break
		}
		if i > 0 {
			line += ", and"
		}
		line += " waited for " + waited(w)
	}
	for _, why := range append(slices.Clone(n.Doubts), strange) {
		if why != "" {
			return line + "; " + why
		}
	}
	if t := g.threadOf(n); t != "" {
		line += " (" + t + ")"
	}
	return line
}

// waited names a thing once, with its kind where the name does not say it.
func waited(w evidence.Wait) string {
	switch {
	case w.What == "":
		return "a " + w.For
	case w.For == "child", w.For == "lock":
		return w.For + " " + short(w.What)
	}
	return short(w.What)
}

// threadOf names the call in which the first thread of another program than one in Go
// sleeps: a Go program's is where its runtime parks it.
func (g *graph) threadOf(n evidence.Node) string {
	if n.Go || len(n.Threads) == 0 || n.Threads[0].Call == "" {
		return ""
	}
	return "in " + n.Threads[0].Call
}

// idleThread reports whether a thread only keeps the Go runtime's clocks.
func idleThread(n evidence.Node, t evidence.Thread) bool {
	return n.Go && t.Monitor
}
