package detect

import (
	"fmt"
	"slices"

	"prokata/checker/internal/evidence"
)

// A graph answers questions about one snapshot.
type graph struct {
	root     int
	question Question
	proof    bool // whether signals and strangers count, as a proof asks for
	nodes    map[int]evidence.Node
	order    []int // of process IDs
	children map[int][]int
	objects  map[string]evidence.Object
	readers  map[string][]int // processes of the tree that can read from an object
	writers  map[string][]int
	locks    []evidence.Lock

	positions map[int]position // as far as they were asked for
}

// A position is what all threads of one process wait for.
type position struct {
	doubt string // why it may go on whatever the others do
	edges []edge
}

// An edge is one thing that a process waits for.
type edge struct {
	kind    string // as Wait.For
	what    string // as Wait.What
	wakers  []int  // the processes of the tree that could end the wait
	on      []int  // those of them to name; wakers if nil
	anybody bool   // any process of the tree could
	idle    bool   // it could wake the process, but nothing in there waits for it

	object string // of a descriptor: as Handle.Object
	fd     int
	read   bool // rather than written
	tid    int  // of a thread that is in the system call, rather than in a set of many
}

func newGraph(s evidence.Snapshot, q Question, proof bool) *graph {
	g := &graph{
		root: s.Root, question: q, proof: proof, locks: s.Locks,
		nodes: make(map[int]evidence.Node), children: make(map[int][]int), objects: make(map[string]evidence.Object),
		readers: make(map[string][]int), writers: make(map[string][]int), positions: make(map[int]position),
	}
	for _, x := range s.Objects {
		g.objects[x.ID] = x
	}
	for _, n := range s.Processes {
		g.nodes[n.PID] = n
		g.order = append(g.order, n.PID)
		g.children[n.Parent] = append(g.children[n.Parent], n.PID)
		for _, h := range n.Handles {
			if h.Read && !slices.Contains(g.readers[h.Object], n.PID) {
				g.readers[h.Object] = append(g.readers[h.Object], n.PID)
			}
			if h.Write && !slices.Contains(g.writers[h.Object], n.PID) {
				g.writers[h.Object] = append(g.writers[h.Object], n.PID)
			}
		}
	}
	slices.Sort(g.order)
	return g
}

func (g *graph) assumed(pid int) bool { return slices.Contains(g.question.Assume, pid) }

// ended reports whether a process can do nothing more at all.
func (g *graph) ended(pid int) bool {
	n, known := g.nodes[pid]
	return known && n.State == "Z" && len(n.Doubts) == 0
}

func (g *graph) name(pid int) string {
	if n, known := g.nodes[pid]; known && n.Name != "" {
		return fmt.Sprintf("pid %d %q", pid, n.Name)
	}
	return fmt.Sprintf("pid %d", pid)
}

// position looks at every thread of a process.
func (g *graph) position(pid int) position {
	if p, known := g.positions[pid]; known {
		return p
	}
	var p position
	n := g.nodes[pid]
	switch {
	case len(n.Doubts) > 0:
		p.doubt = n.Doubts[0]
	case n.Ending:
		p.doubt = "it is being ended"
	case slices.Contains(g.question.Held, pid):
		p.doubt = "it will be continued"
	case len(n.Threads) == 0:
		p.doubt = "its threads were not seen"
	}
	for _, t := range n.Threads {
		if p.doubt != "" {
			break
		}
		edges, doubt := g.thread(n, t)
		if doubt != "" {
			p.doubt = doubt
		}
		for i := range edges {
			edges[i].tid = t.TID
		}
		p.edges = append(p.edges, edges...)
	}
	if p.doubt == "" && g.proof {
		p.doubt = hailed(n, p)
	}
	g.positions[pid] = p
	return p
}

// minute is how long the monitor of the Go runtime sleeps when it has nothing
// to wait for.
const minute = 60e9

func (g *graph) thread(n evidence.Node, t evidence.Thread) (edges []edge, doubt string) {
	switch t.State {
	case "S":
	case "T":
		return []edge{{kind: "stopped", what: "a signal to continue"}}, ""
	case "Z", "X":
		return nil, ""
	default:
		return nil, "it runs"
	}
	if t.Stranger != "" && g.proof {
		return nil, t.Stranger
	}
	if t.Timed() {
		if t.Monitor && (t.Call == "restart_syscall" || t.Timeout != nil && *t.Timeout == minute) {
			return nil, ""
		}
		return nil, fmt.Sprintf("%s may end by itself", t.Call)
	}
	switch t.Call {
	case "futex", "futex_waitv":
		return g.futex(n, t), ""
	case "open", "openat":
		return []edge{{kind: "pipe", what: "somebody to open the other end of " + t.Path, anybody: true}}, ""
	case "semop", "semtimedop":
		return []edge{{kind: "semaphore", what: "a System V semaphore", anybody: true}}, ""
	case "msgrcv", "msgsnd":
		return []edge{{kind: "queue", what: "a System V message queue", anybody: true}}, ""
	case "mq_timedreceive", "mq_timedsend":
		return []edge{{kind: "queue", what: "the message queue " + t.Path, anybody: true}}, ""
	case "io_uring_enter":
		return g.descriptor(n, int(int32(t.Args[0])), true, 0)
	case "pause", "rt_sigsuspend", "rt_sigtimedwait":
		return []edge{{kind: "signal", what: "a signal"}}, ""
	case "wait4", "waitid":
		return g.child(n, t)
	case "flock", "fcntl":
		return g.lock(n, t)
	case "epoll_wait", "epoll_pwait", "epoll_pwait2":
		return g.epoll(n, int(int32(t.Args[0])), 0)
	case "poll", "ppoll", "select", "pselect6":
		return g.members(n, t.Polls, 0)
	case "read", "readv", "pread64", "preadv", "recvfrom", "recvmsg", "accept", "accept4":
		return g.descriptor(n, int(int32(t.Args[0])), true, 0)
	case "write", "writev", "pwrite64", "pwritev", "sendto", "sendmsg":
		return g.descriptor(n, int(int32(t.Args[0])), false, 0)
	case "splice":
		return g.both(n, int(int32(t.Args[0])), int(int32(t.Args[2])))
	case "tee":
		return g.both(n, int(int32(t.Args[0])), int(int32(t.Args[1])))
	case "sendfile":
		return g.both(n, int(int32(t.Args[1])), int(int32(t.Args[0])))
	}
	return nil, fmt.Sprintf("%s is a call that nobody can judge", t.Call)
}

// futex: a word of this process's own memory, by which Go's channels, mutexes
// and idle threads wait, or one of memory that others share.
func (g *graph) futex(n evidence.Node, t evidence.Thread) []edge {
	switch {
	case t.Notify:
		return []edge{{kind: "signal", what: asked(n.Caught), wakers: []int{n.PID}, on: []int{}}}
	case len(t.Memories()) > 0:
	case n.Go:
		return []edge{{kind: "goroutine", what: "a channel or a lock of its own", wakers: []int{n.PID}, on: []int{}}}
	default:
		return []edge{{kind: "futex", what: ownLock, wakers: []int{n.PID}, on: []int{}}}
	}
	var all []edge
	for _, m := range t.Memories() {
		e := edge{kind: "futex", what: "a word in " + m.Path, wakers: []int{n.PID}, on: []int{}}
		for _, pid := range g.order {
			if pid != n.PID && slices.Contains(g.nodes[pid].Maps, m.File) {
				e.wakers = append(e.wakers, pid)
				e.on = append(e.on, pid)
			}
		}
		all = append(all, e)
	}
	return all
}

// ownLock is what a program waits for that is not written in Go, inside itself.
const ownLock = "a lock of its own"

// child: wait4 names the process by its first argument, waitid by its first two.
func (g *graph) child(n evidence.Node, t evidence.Thread) ([]edge, string) {
	const all, pid, pidfd = 0, 1, 3 // P_ALL, P_PID, P_PIDFD; others are groups
	kind, id := all, int(int32(t.Args[0]))
	switch {
	case t.Call == "wait4" && id > 0:
		kind = pid
	case t.Call == "waitid":
		kind, id = int(t.Args[0]), int(int32(t.Args[1]))
	}
	if kind == pidfd {
		h, ok := handle(n, id)
		if !ok || h.Of <= 0 {
			return nil, "it waits for a child that nobody can name"
		}
		kind, id = pid, h.Of
	} else if kind == pid {
		id = g.outer(n, id)
	}
	var edges []edge
	for _, c := range g.children[n.PID] {
		if kind == pid && c != id {
			continue
		}
		if g.ended(c) {
			return nil, g.name(c) + ", for which it waits, has ended"
		}
		edges = append(edges, edge{kind: "child", what: g.name(c), wakers: []int{c}})
	}
	if len(edges) == 0 {
		return nil, "it waits for a child that is not there"
	}
	return edges, ""
}

// outer translates a process ID that a process in a namespace of its own uses
// for one of its children.
func (g *graph) outer(n evidence.Node, id int) int {
	if len(n.Inner) == 0 {
		for _, c := range g.children[n.PID] {
			if c == id {
				return id
			}
		}
	}
	for _, c := range g.children[n.PID] {
		if inner := g.nodes[c].Inner; len(inner) >= max(len(n.Inner), 1) && inner[max(len(n.Inner), 1)-1] == id {
			return c
		}
	}
	return id
}

func handle(n evidence.Node, fd int) (evidence.Handle, bool) {
	for _, h := range n.Handles {
		if h.FD == fd {
			return h, true
		}
	}
	return evidence.Handle{}, false
}
