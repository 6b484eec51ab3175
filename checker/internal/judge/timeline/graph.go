package timeline

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/report"
)

// A Graph is who waits for whom, where a test came to stand still.
type Graph struct {
	Nodes    []Node `json:"nodes"` // those of the circle first, in its order
	Edges    []Edge `json:"edges"`
	Circle   int    `json:"circle"`             // how many of the nodes are in it
	Expected bool   `json:"expected,omitempty"` // the test had asked for it
	Partial  bool   `json:"partial,omitempty"`  // others went on
}

// A Node is a process that waits, or one that is waited for.
type Node struct {
	PID    int    `json:"pid"`
	Name   string `json:"name"`
	For    string `json:"for,omitempty"` // what it waits for, in words
	Place  string `json:"place,omitempty"`
	Source string `json:"source,omitempty"`
}

// An Edge leads from who waits to who alone could end that.
type Edge struct {
	From int    `json:"from"` // indices of nodes
	To   int    `json:"to"`
	For  string `json:"for"`
}

func graph(t evidence.Test, source string, line func(string, int) string) *Graph {
	d, g := t.Deadlock, &Graph{}
	if d == nil {
		d, g.Partial = t.Partial, true
	}
	if d == nil || len(d.Waits) == 0 {
		return nil
	}
	g.Expected, g.Circle = d.Expected, len(d.Circle)
	index := map[int]int{}
	node := func(pid int) int {
		i, known := index[pid]
		if !known {
			i = len(g.Nodes)
			index[pid] = i
			g.Nodes = append(g.Nodes, Node{PID: pid, Name: named(t, pid)})
		}
		return i
	}
	for _, pid := range d.Circle {
		node(pid)
	}
	for _, w := range d.Waits {
		i := node(w.PID)
		what := w.For
		switch {
		case filepath.IsAbs(w.What):
			what += " " + short(w.What)
		case w.What != "":
			what += " " + w.What
		}
		what = report.Printable(what)
		n := &g.Nodes[i]
		if n.For == "" {
			n.For = what
		} else if !strings.Contains(n.For, what) && len(n.For) < 200 {
			n.For += ", " + what
		}
		if f := where(t, w, source); f != nil {
			n.Place, n.Source = place(f.File, f.Line), report.Printable(line(f.File, f.Line))
		}
		for _, on := range w.On {
			g.Edges = append(g.Edges, Edge{From: i, To: node(on), For: what})
		}
	}
	return g
}

// where is the line at which a process waits: as the proof has it, or the innermost one of
// its stacks that is the source's own.
func where(t evidence.Test, w evidence.Wait, source string) *evidence.Frame {
	if w.Line != nil {
		return w.Line
	}
	i := slices.IndexFunc(t.Stacks, func(s evidence.Stacks) bool { return s.PID == w.PID })
	if i < 0 {
		return nil
	}
	// Those in a system call first: others wait for one of them.
	gs := slices.Clone(t.Stacks[i].Goroutines)
	slices.SortStableFunc(gs, func(a, b evidence.Goroutine) int { return cmp.Compare(calm(a), calm(b)) })
	for _, g := range gs {
		for _, f := range g.Frames {
			if filepath.Dir(f.File) == filepath.Clean(source) {
				return &f
			}
		}
	}
	return nil
}

// calm is how little a goroutine says of what its process waits for.
func calm(g evidence.Goroutine) int {
	switch {
	case len(g.Call) > 0 || g.State == "syscall":
		return 0
	case g.State == "IO wait":
		return 1
	}
	return 2
}

func named(t evidence.Test, pid int) string {
	if t.Timeline != nil {
		for _, l := range t.Timeline.Lives {
			if l.PID == pid && l.Name != "" {
				return report.Printable(l.Name)
			}
		}
	}
	for _, p := range t.Processes {
		if p.PID == pid {
			return report.Printable(short(p.Name))
		}
	}
	return "?"
}

// short leaves out the folders of a path, which are the check's own.
func short(name string) string { return filepath.Base(name) }

func place(file string, line int) string {
	switch {
	case file == "":
		return ""
	case line == 0:
		return report.Printable(file)
	}
	return fmt.Sprintf("%s:%d", report.Printable(file), line)
}
