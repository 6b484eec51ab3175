package detect

import (
	"slices"

	"prokata/checker/internal/evidence"
)

// deadlock tells what the processes of a group wait for.
func (g *graph) deadlock(group []int) *evidence.Deadlock {
	d := &evidence.Deadlock{}
	for _, pid := range group {
		d.Waits = append(d.Waits, g.waits(pid)...)
	}
	d.Circle = circle(d.Waits)
	return d
}

// waits returns what a process waits for in words. A Go program has idle
// threads, which wait for nothing but work, and one that hands on signals: they count
// only where there is nothing else to tell.
func (g *graph) waits(pid int) []evidence.Wait {
	var all, words, signals, own []evidence.Wait
	for _, e := range g.position(pid).edges {
		w := evidence.Wait{PID: pid, Name: g.nodes[pid].Name, For: e.kind, What: e.what, On: e.on}
		if e.on == nil {
			w.On = e.wakers
		}
		w.On = slices.Clone(w.On)
		if len(w.On) == 0 {
			w.On = nil
		}
		slices.Sort(w.On)
		list := &all
		switch {
		case e.idle:
			continue
		case e.kind == "goroutine" || e.what == ownLock:
			list = &own
		case e.kind == "futex" && w.On == nil:
			list = &words
		case e.kind == "signal" && e.on != nil: // by os/signal, beside what else it does
			list = &signals
		}
		if !slices.ContainsFunc(*list, func(o evidence.Wait) bool { return o.For == w.For && o.What == w.What }) {
			*list = append(*list, w)
		}
	}
	for _, list := range [][]evidence.Wait{all, words, signals, own} {
		if len(list) > 0 {
			return list
		}
	}
	// All that is left is a descriptor for which no goroutine waits.
	return []evidence.Wait{{PID: pid, Name: g.nodes[pid].Name, For: "goroutine", What: "a channel or a lock of its own"}}
}

// circle returns the shortest circle of waits, from its smallest process ID on:
// who waits for the first, who waits for that one, and so on. A process that
// waits for itself is one only if there is no other.
func circle(waits []evidence.Wait) []int {
	on := make(map[int][]int)
	var order []int
	for _, w := range waits {
		if !slices.Contains(order, w.PID) {
			order = append(order, w.PID)
		}
		for _, pid := range w.On {
			if !slices.Contains(on[w.PID], pid) {
				on[w.PID] = append(on[w.PID], pid)
			}
		}
	}
	var best, itself []int
	for _, start := range order {
		if slices.Contains(on[start], start) && itself == nil {
			itself = []int{start}
		}
		if c := back(start, on); c != nil && (best == nil || len(c) < len(best)) {
			best = c
		}
	}
	if best == nil {
		return itself
	}
	least := slices.Index(best, slices.Min(best))
	return append(slices.Clone(best[least:]), best[:least]...)
}

// back finds the shortest way from start over others to start.
func back(start int, on map[int][]int) []int {
	from := map[int]int{}
	for queue := []int{start}; len(queue) > 0; queue = queue[1:] {
		pid := queue[0]
		for _, next := range on[pid] {
			if next == start && pid != start {
				way := []int{pid}
				for pid != start {
					pid = from[pid]
					way = append(way, pid)
				}
				slices.Reverse(way)
				return way
			}
			if _, seen := from[next]; !seen && next != start {
				from[next] = pid
				queue = append(queue, next)
			}
		}
	}
	return nil
}
