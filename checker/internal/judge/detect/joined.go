package detect

import (
	"fmt"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
)

// deepest bounds sets of sets of descriptors.
const deepest = 4

// epoll: everything in the set can wake the thread.
func (g *graph) epoll(n evidence.Node, fd, depth int) ([]edge, string) {
	h, ok := handle(n, fd)
	if !ok || h.Object != "epoll" || depth > deepest {
		return nil, "it waits for a set that was not seen"
	}
	return g.members(n, h.Members, depth+1)
}

func (g *graph) members(n evidence.Node, list []evidence.Member, depth int) ([]edge, string) {
	if len(list) == 0 && depth == 0 {
		return []edge{{kind: "signal", what: "a signal"}}, "" // poll(2) of nothing
	}
	var all []edge
	for _, m := range list {
		if m.Unknown {
			return nil, "it waits for a descriptor that was not seen"
		}
		h, ok := handle(n, m.FD)
		if !ok {
			return nil, fmt.Sprintf("it waits for descriptor %d, which nobody can judge", m.FD)
		}
		// Whatever was asked for, the end of the other side is told too.
		for _, way := range []struct {
			able, read bool
			letter     string
		}{{h.Read, true, "r"}, {h.Write, false, "w"}} {
			if !way.able {
				continue
			}
			edges, doubt := g.descriptor(n, m.FD, way.read, depth)
			if doubt != "" {
				return nil, doubt
			}
			for i := range edges {
				// Which goroutine waits is not always known; the event by which
				// the runtime wakes itself has none.
				edges[i].idle = edges[i].idle || m.Waiters != "" && !strings.Contains(m.Waiters, way.letter) ||
					m.Waiters == "" && g.objects[h.Object].Kind == "eventfd"
			}
			all = append(all, edges...)
		}
	}
	return all, ""
}

// both: one descriptor is read, the other written; either may be a file.
func (g *graph) both(n evidence.Node, in, out int) ([]edge, string) {
	var all []edge
	for _, end := range []struct {
		fd   int
		read bool
	}{{in, true}, {out, false}} {
		if _, ok := handle(n, end.fd); !ok {
			continue
		}
		edges, doubt := g.descriptor(n, end.fd, end.read, 0)
		if doubt != "" {
			return nil, doubt
		}
		all = append(all, edges...)
	}
	if len(all) == 0 {
		return nil, "it copies between descriptors that nobody can judge"
	}
	return all, ""
}

// descriptor says who could make a descriptor readable, or writable.
func (g *graph) descriptor(n evidence.Node, fd int, read bool, depth int) ([]edge, string) {
	edges, doubt := g.joined(n, fd, read, depth)
	h, _ := handle(n, fd)
	for i := range edges {
		if edges[i].object == "" {
			edges[i].object, edges[i].fd, edges[i].read = h.Object, fd, read
		}
	}
	return edges, doubt
}

func (g *graph) joined(n evidence.Node, fd int, read bool, depth int) ([]edge, string) {
	h, ok := handle(n, fd)
	if !ok {
		return nil, fmt.Sprintf("it waits for descriptor %d, which nobody can judge", fd)
	}
	if slices.Contains(g.question.Channel, h.Object) {
		return []edge{{kind: "harness", idle: true}}, ""
	}
	switch {
	case h.Object == "epoll":
		return g.epoll(n, fd, depth)
	case h.Of != 0:
		return g.process(h.Of)
	}
	x := g.objects[h.Object]
	if x.Doubt != "" {
		return nil, fmt.Sprintf("%s: %s", title(x), x.Doubt)
	}
	if x.Stranger && g.proof {
		return nil, fmt.Sprintf("another program can reach %s", title(x))
	}
	switch x.Kind {
	case "pipe":
		return g.pipe(x, read)
	case "unix", "tcp":
		return g.socket(x)
	case "datagram", "udp":
		e, doubt := g.socket(x)
		for i := range e {
			e[i].anybody, e[i].idle = true, false
		}
		return e, doubt
	case "inotify":
		return []edge{{kind: "file", what: "a change of the files that it watches", anybody: true}}, ""
	case "ring":
		return []edge{{kind: "ring", what: "the answer to a request that nobody has made (io_uring)", anybody: true}}, ""
	case "listener":
		return []edge{{kind: "socket", what: "a connection to " + x.Name, anybody: true}}, ""
	case "eventfd", "timerfd":
		if out := append(slices.Clone(x.Readers), x.Writers...); len(out) > 0 {
			return nil, fmt.Sprintf("pid %d outside holds %s", out[0], x.ID)
		}
		return []edge{{kind: "pipe", what: x.ID, wakers: g.writers[x.ID]}}, ""
	case "signalfd":
		return []edge{{kind: "signal", what: "a signal"}}, ""
	}
	return nil, fmt.Sprintf("it waits for %s, which nobody can judge", h.Object)
}

// process: a pidfd becomes readable when its process ends.
func (g *graph) process(pid int) ([]edge, string) {
	if pid < 0 || g.ended(pid) {
		return []edge{{kind: "child", idle: true}}, "" // it has ended, and that was told
	}
	if _, known := g.nodes[pid]; !known {
		return nil, fmt.Sprintf("it waits for pid %d outside", pid)
	}
	return []edge{{kind: "child", what: g.name(pid), wakers: []int{pid}}}, ""
}

// pipe: a reader waits for those that can write, and the other way round. That
// no writer is left has been told to every reader.
func (g *graph) pipe(x evidence.Object, read bool) ([]edge, string) {
	in, out := g.writers[x.ID], x.Writers
	if !read {
		in, out = g.readers[x.ID], x.Readers
	}
	if len(out) > 0 {
		return nil, fmt.Sprintf("pid %d outside holds the other end of %s", out[0], x.ID)
	}
	what := fmt.Sprintf("%s (written by %s, read by %s)", x.ID, pids(g.writers[x.ID]), pids(g.readers[x.ID]))
	return []edge{{kind: "pipe", what: what, wakers: in, idle: len(in) == 0}}, ""
}

// socket: whoever holds the other end can send or read, and whoever shares our
// own can shut it down.
func (g *graph) socket(x evidence.Object) ([]edge, string) {
	e := edge{kind: "socket", what: title(x), on: []int{}}
	for _, id := range append([]string{x.ID}, x.Peers...) {
		end := g.objects[id]
		if out := append(slices.Clone(end.Readers), end.Writers...); len(out) > 0 {
			return nil, fmt.Sprintf("pid %d outside holds an end of %s", out[0], title(x))
		}
		for _, pid := range g.readers[id] {
			e.wakers = append(e.wakers, pid)
			if id != x.ID && !slices.Contains(e.on, pid) {
				e.on = append(e.on, pid)
			}
		}
	}
	e.idle = len(x.Peers) == 0
	if len(e.on) > 0 {
		e.what += fmt.Sprintf(" (the other end is held by %s)", pids(e.on))
	}
	return []edge{e}, ""
}

// title is an object for a person.
func title(x evidence.Object) string {
	if x.Name == "" {
		return x.ID
	}
	return x.ID + " " + x.Name
}

func pids(list []int) string {
	if len(list) == 0 {
		return "nobody"
	}
	s := "pid "
	for i, pid := range list {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprint(pid)
	}
	return s
}

// lock: flock(fd, operation), and fcntl(fd, F_SETLKW or F_OFD_SETLKW, …).
func (g *graph) lock(n evidence.Node, t evidence.Thread) ([]edge, string) {
	const setlkw, ofdSetlkw = 7, 38
	kinds := []string{"flock"}
	if t.Call == "fcntl" {
		switch t.Args[1] {
		case setlkw:
			kinds = []string{"posix", "ofd"}
		case ofdSetlkw:
			kinds = []string{"ofd", "posix"}
		default:
			return nil, "fcntl is a call that nobody can judge"
		}
	}
	e := edge{kind: "lock", what: t.Path, on: []int{}}
	for _, wish := range g.locks {
		// The wish of an ofd lock names no process: all of them on the file
		// may be this thread's.
		if !wish.Waiting || wish.File != t.File || wish.Kind != kinds[0] || wish.Kind != "ofd" && wish.PID != n.PID && len(n.Inner) == 0 {
			continue
		}
		for _, held := range g.locks {
			if held.Waiting || held.File != wish.File || !slices.Contains(kinds, held.Kind) ||
				!held.Write && !wish.Write || !overlap(held, wish) {
				continue
			}
			if held.Outside {
				return nil, fmt.Sprintf("the lock on %s is held outside", t.Path)
			}
			for _, pid := range held.Holders {
				if !slices.Contains(e.wakers, pid) {
					e.wakers = append(e.wakers, pid)
				}
			}
		}
	}
	if len(e.wakers) == 0 {
		return nil, fmt.Sprintf("nobody is seen to hold the lock on %s", t.Path)
	}
	// To hold one part of a file and wait for another is common; only where
	// there is nobody else does a process wait for itself.
	e.on = slices.DeleteFunc(slices.Clone(e.wakers), func(pid int) bool { return pid == n.PID })
	if len(e.on) == 0 {
		e.on = e.wakers
	}
	return []edge{e}, ""
}

// overlap: a lock without a last byte reaches to the end.
func overlap(a, b evidence.Lock) bool {
	return (a.End == 0 || b.Start <= a.End) && (b.End == 0 || a.Start <= b.End)
}
