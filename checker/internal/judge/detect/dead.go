package detect

import (
	"fmt"
	"reflect"
	"slices"

	"prokata/checker/internal/evidence"
)

// A Question is what a pair of snapshots is asked.
type Question = evidence.Question

// Dead decides from two snapshots, taken one after the other, whether the
// processes in question can never go on. It returns the proof, or else why they
// are alive, or may be.
//
// The proof is this. A process that is the same in both snapshots, down to how
// often each of its threads left a processor, did not run between them, so what
// is seen of it was true at one moment. Every one of its threads sleeps in a
// call that no clock ends. For each such call the processes that could end it
// are known, and all of them are in the same position. Signals count too: a
// process can be woken by the end of its children, and of its parent.
//
// What a process has set for later (an alarm, a timer, a request to the kernel) is
// among its doubts: package wakes hears of each when it is set. And whoever waits at
// an address (a path, a port, a name, a key, a signal) may be woken by a program that
// is not there yet, unless the address is the tree's own: in the run's private folder,
// or in a namespace that the supervisor gave it.
//
// What remains outside of the proof is a person who ends a process by a signal, or
// reaches into one by the means of a debugger: neither makes it go on by itself.
func Dead(a, b evidence.Snapshot, q Question) (*evidence.Deadlock, string) {
	ga, gb := newGraph(a, q, true), newGraph(b, q, true)
	if reason := gb.over(); reason != "" {
		return nil, reason
	}
	judged := gb.judged()
	if len(judged) == 0 {
		return nil, "nothing is left to judge"
	}
	asleep, why := fixpoint(ga, gb)
	for _, pid := range judged {
		if !asleep[pid] {
			return nil, why.cause(pid)
		}
	}
	return gb.deadlock(judged), ""
}

// Partial finds the processes that can never go on beside others that live:
// the largest group in which each sleeps and could be woken by members of the
// group alone. It serves at the time limit, to name the cause. Signals and programs
// outside that may come do not count there, so it is no proof of what would have
// happened.
func Partial(a, b evidence.Snapshot, q Question) *evidence.Deadlock {
	ga, gb := newGraph(a, q, false), newGraph(b, q, false)
	asleep, _ := fixpoint(ga, gb)
	var group []int
	for _, pid := range gb.judged() {
		if asleep[pid] {
			group = append(group, pid)
		}
	}
	if len(group) == 0 {
		return nil
	}
	return gb.deadlock(group)
}

// fixpoint returns the processes that sleep for ever as both graphs show it,
// and for every other one why not.
func fixpoint(a, b *graph) (asleep map[int]bool, why reasons) {
	asleep, why = make(map[int]bool), make(reasons)
	for pid, n := range b.nodes {
		before, ok := a.nodes[pid]
		switch {
		case b.assumed(pid) || b.ended(pid):
		case !ok:
			why[pid] = reason{text: b.name(pid) + " has just begun"}
		case !reflect.DeepEqual(before, n):
			why[pid] = reason{text: b.name(pid) + " moved"}
		default:
			asleep[pid] = true
		}
	}
	for again := true; again; {
		again = false
		for _, g := range []*graph{a, b} {
			for _, pid := range g.order {
				if !asleep[pid] {
					continue
				}
				if r := g.awake(pid, asleep); r.text != "" {
					delete(asleep, pid)
					why[pid] = r
					again = true
				}
			}
		}
	}
	return asleep, why
}

// A reason says why a process can go on; by is another one that lets it.
type reason struct {
	text string
	by   int
}

type reasons map[int]reason

// cause follows the reasons to the process that is alive by itself.
func (why reasons) cause(pid int) string {
	for range why {
		by := why[pid].by
		if why[by].text == "" {
			break
		}
		pid = by
	}
	return why[pid].text
}

// awake says why a process can go on if only the others are asleep; the text is
// empty if it cannot.
func (g *graph) awake(pid int, asleep map[int]bool) reason {
	p := g.position(pid)
	if p.doubt != "" {
		return reason{text: g.name(pid) + ": " + p.doubt}
	}
	dead := func(other int) bool { return asleep[other] || g.assumed(other) || g.ended(other) }
	for _, e := range p.edges {
		wakers, how := e.wakers, "can wake it"
		if e.anybody {
			wakers, how = g.order, "can connect to it"
		}
		for _, other := range wakers {
			if !dead(other) {
				return reason{fmt.Sprintf("%s: %s %s", g.name(pid), g.name(other), how), other}
			}
		}
	}
	if !g.proof {
		return reason{}
	}
	family := slices.Clone(g.children[pid])
	if parent := g.nodes[pid].Parent; parent != g.root {
		family = append(family, parent)
	}
	for _, other := range family {
		if _, known := g.nodes[other]; known && !dead(other) {
			return reason{fmt.Sprintf("%s: %s may end, and that sends a signal", g.name(pid), g.name(other)), other}
		}
	}
	return reason{}
}

// over notices that the first process of the tree, the test process, has ended.
func (g *graph) over() string {
	var first *evidence.Node
	for _, pid := range g.order {
		n := g.nodes[pid]
		if n.Parent == g.root && (first == nil || n.Start < first.Start) {
			first = &n
		}
	}
	if first == nil {
		return "no process is left"
	}
	if g.ended(first.PID) {
		return g.name(first.PID) + " has ended"
	}
	return ""
}

// judged returns the processes in question that have not ended.
func (g *graph) judged() []int {
	in := make(map[int]bool)
	if len(g.question.Only) == 0 {
		for pid := range g.nodes {
			in[pid] = true
		}
	}
	var below func(pid int)
	below = func(pid int) {
		if _, known := g.nodes[pid]; !known || in[pid] {
			return
		}
		in[pid] = true
		for _, child := range g.children[pid] {
			below(child)
		}
	}
	for _, pid := range g.question.Only {
		below(pid)
	}
	var list []int
	for _, pid := range g.order {
		if in[pid] && !g.assumed(pid) && !g.ended(pid) {
			list = append(list, pid)
		}
	}
	return list
}
