package detect

import (
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
)

// A scene is a tree of processes at a standstill, told by where each goroutine
// stands and what it waits for.
type scene struct {
	run    evidence.Run
	test   evidence.Test
	graph  *graph
	root   int // the test process
	stands []stand
}

// A role says how a goroutine comes to stand in the learner's code.
type role int

// The roles, in the order in which a report tells them.
const (
	called role = iota // the test called the learner's function
	entry              // the main goroutine of a child, in the learner's entry
	helper             // the learner started it
	tests              // it waits in a function of the tests' own
)

// A stand is where one goroutine stands.
type stand struct {
	pid    int
	g      evidence.Goroutine
	role   role
	at     evidence.Frame   // the innermost frame of the learner's
	mine   []evidence.Frame // all frames of the learner's, innermost first
	does   string           // what it does there: an action, or the state of a goroutine
	edge   *edge            // what it waits for in the kernel, if that is known
	inTest bool             // the wait itself is in a function of the tests
}

// newScene orders what was seen. Without a snapshot, or stacks, it is nil.
func newScene(run evidence.Run, t evidence.Test) *scene {
	if t.Snapshot == nil || len(t.Stacks) == 0 {
		return nil
	}
	s := &scene{run: run, test: t, graph: newGraph(*t.Snapshot, Question{}, false)}
	for _, pid := range s.graph.order {
		n := s.graph.nodes[pid]
		if n.Parent == s.graph.root && (s.root == 0 || n.Start < s.graph.nodes[s.root].Start) {
			s.root = pid
		}
	}
	for _, pid := range s.graph.order {
		for _, st := range t.Stacks {
			if st.PID != pid {
				continue
			}
			for _, g := range st.Goroutines {
				if x, ok := s.stand(pid, g); ok {
					s.stands = append(s.stands, x)
				}
			}
		}
	}
	for _, pid := range s.graph.order {
		if slices.ContainsFunc(s.stands, func(x stand) bool { return x.pid == pid }) || s.graph.ended(pid) {
			continue
		}
		// No Go program, or one that was gone before it could tell: the kernel's view.
		edges := s.graph.position(pid).edges
		for i, e := range edges {
			does := map[bool]string{true: "read", false: "write"}[e.read]
			if e.object == "" {
				does = e.kind
			}
			if !e.idle && e.kind != "goroutine" && e.kind != "harness" {
				s.stands = append(s.stands, stand{pid: pid, role: helper, does: does, edge: &edges[i]})
			}
		}
	}
	order := func(x stand) int {
		n := 4 * int(x.role)
		if x.pid != s.root {
			n += 2
		}
		if !slices.ContainsFunc(x.g.Frames, func(f evidence.Frame) bool { return f.Func == "testing.tRunner" }) {
			n++
		}
		return n
	}
	slices.SortStableFunc(s.stands, func(a, b stand) int { return order(a) - order(b) })
	return s
}

// isTest tells a frame of the kata's tests, or of what the harness offers them, that is
// more than the way into main.
func isTest(f evidence.Frame) bool {
	if strings.HasPrefix(f.Func, "prokata/checker/harness.") {
		return base(f.Func) != "Main"
	}
	return strings.HasSuffix(f.File, "_test.go") && base(f.Func) != "TestMain"
}

// base is a function's name behind its package: "(*Waiter).Wait".
func base(function string) string {
	name := function[strings.LastIndexByte(function, '/')+1:]
	if strings.Contains(function, "[") { // type arguments may hold a path
		open := strings.IndexByte(function, '[')
		name = function[strings.LastIndexByte(function[:open], '/')+1:]
	}
	_, after, _ := strings.Cut(name, ".")
	return after
}

func (s *scene) mine(f evidence.Frame) bool {
	return filepath.Dir(f.File) == filepath.Clean(s.run.Source) && !strings.HasSuffix(f.File, "_test.go")
}

// stand reads one goroutine; it is false for one that has nothing of the learner's
// or of the tests'.
func (s *scene) stand(pid int, g evidence.Goroutine) (stand, bool) {
	x := stand{pid: pid, g: g, role: helper}
	first := -1
	below := false
	for i, f := range g.Frames {
		switch {
		case s.mine(f):
			x.mine = append(x.mine, f)
			below = false
		case isTest(f):
			below = true
		default:
			continue
		}
		if first < 0 {
			first = i
			x.inTest = isTest(f)
		}
	}
	switch {
	case first < 0:
		return x, false
	case len(x.mine) == 0:
		x.role = tests
	case below:
		x.role = called
	case g.ID == 1:
		x.role = entry
	}
	if len(x.mine) > 0 {
		x.at = x.mine[0]
	}
	x.does = does(g, g.Frames[:first])
	x.edge = s.waitsFor(x)
	// Woken by the end of others, it may have moved on when its stack was taken; the
	// runtime's record is older.
	if x.edge != nil && x.edge.object != "" && !x.inProcess() && x.does != "poll" && x.does != "accept" && x.edge.kind != "child" {
		x.does = map[bool]string{true: "read", false: "write"}[x.edge.read]
	}
	return x, true
}

// actions are names in the frames above a program's own, with what a goroutine does
// that stands there. The first four are told by any frame.
var actions = []struct {
	does  string
	names []string
}{
	{"lock", []string{"Flock"}},
	{"child", []string{"os.(*Process).Wait", "os/exec.(*Cmd).Wait", "Wait4", "Waitid", "os.(*Process).wait"}},
	{"accept", []string{"Accept", ").accept"}},
	{"signal", []string{"os/signal.", "Sigtimedwait", "unix.Pause"}},
	{"write", []string{".Write", ".write", "Sendmsg", "Sendto", ".RawWrite", "waitWrite"}},
	{"read", []string{".Read", ".read", "Recvmsg", "Recvfrom", ".RawRead", "waitRead"}},
	{"poll", []string{"Poll", "Ppoll", "Select", "EpollWait"}},
	{"futex", []string{"utex"}},
}

// does says what a goroutine does, from the frames above the program's own, and from
// its state.
func does(g evidence.Goroutine, above []evidence.Frame) string {
	for _, state := range []string{"chan ", "select", "sync.", "semacquire", "sleep"} {
		if strings.HasPrefix(g.State, state) {
			return g.State
		}
	}
	// Of reading and writing the innermost frames say most: a copy is a read in a write, or
	// a write in a read. What else there is is told by any of them.
	const special = 4
	for _, all := range []bool{false, true} {
		for _, f := range above {
			for _, a := range actions[:map[bool]int{false: special, true: len(actions)}[all]] {
				if slices.ContainsFunc(a.names, func(n string) bool { return strings.Contains(f.Func, n) }) {
					return a.does
				}
			}
		}
	}
	if len(g.Call) > 0 { // a raw system call of the program's own
		if call, known := calls[g.Call[0]]; known {
			return call
		}
		return "call"
	}
	return g.State
}

// calls are the numbers of some system calls of amd64, by what they do.
var calls = map[uint64]string{
	0: "read", 1: "write", 7: "poll", 19: "read", 20: "write", 23: "poll", 43: "accept", 44: "write", 45: "read", 46: "write", 47: "read",
	61: "child", 72: "lock", 73: "lock", 202: "futex", 232: "poll", 247: "child", 270: "poll", 271: "poll", 281: "poll", 288: "accept",
}

// waitsFor finds what a goroutine waits for in the kernel: by the runtime's own record
// of who waits for a descriptor, by the descriptor of a system call, or, where only one
// thing fits, by what it does.
func (s *scene) waitsFor(x stand) *edge {
	n := s.graph.nodes[x.pid]
	edges := s.graph.position(x.pid).edges
	find := func(is func(edge) bool) *edge {
		var found *edge
		for i := range edges {
			if is(edges[i]) {
				if found != nil && (found.object != edges[i].object || found.kind != edges[i].kind || found.what != edges[i].what) {
					return nil
				}
				found = &edges[i]
			}
		}
		return found
	}
	for _, h := range n.Handles {
		for _, m := range h.Members {
			if x.g.Address != 0 && (m.ReadBy == x.g.Address || m.WriteBy == x.g.Address) {
				return find(func(e edge) bool { return e.object != "" && e.fd == m.FD && e.read == (m.ReadBy == x.g.Address) })
			}
		}
	}
	in := map[string][]string{
		"lock": {"lock"}, "child": {"child"}, "accept": {"socket"}, "signal": {"signal"}, "futex": {"futex"},
		"write": {"pipe", "socket"}, "read": {"pipe", "socket"}, "poll": {"pipe", "socket", "child"},
	}[x.does]
	fits := func(e edge) bool {
		return slices.Contains(in, e.kind) && (e.object == "" || (x.does == "write") != e.read || x.does == "poll")
	}
	if len(x.g.Call) == 3 {
		for _, t := range n.Threads {
			if len(t.Args) > 1 && t.Args[0] == x.g.Call[1] && (t.Args[1] == x.g.Call[2] || x.does != "child") && t.State == "S" {
				if e := find(func(e edge) bool { return e.tid == t.TID && fits(e) }); e != nil {
					return e
				}
			}
		}
	}
	return find(func(e edge) bool { return fits(e) && (!e.idle || e.kind == "child") })
}

// inProcess tells a wait for another goroutine of the same process.
func (x stand) inProcess() bool {
	return strings.HasPrefix(x.does, "chan ") || strings.HasPrefix(x.does, "select") || strings.HasPrefix(x.does, "sync.") || x.does == "semacquire"
}

// of are the stands of one process.
func (s *scene) of(pid int) (all []stand) {
	for _, x := range s.stands {
		if x.pid == pid {
			all = append(all, x)
		}
	}
	return all
}

// focus is the call that hangs: what the test called, or else the entry of a child.
func (s *scene) focus() *stand {
	var best *stand
	for i := range s.stands {
		x := &s.stands[i]
		if len(x.mine) == 0 || x.inTest {
			continue
		}
		if best == nil {
			best = x
		}
	}
	return best
}

// startedBy tells a goroutine that was started by a function that still waits on the
// stack of x: x waits for it, as for its own helper.
func (x stand) startedBy(h stand) bool {
	if h.pid != x.pid || h.g.ID == x.g.ID || len(h.mine) == 0 {
		return false
	}
	root := h.mine[len(h.mine)-1].Func
	for _, f := range x.mine {
		if strings.HasPrefix(root, f.Func+".") || h.g.CreatedBy != nil && h.g.CreatedBy.Func == f.Func {
			return true
		}
	}
	return false
}

// helpers are the goroutines that x started and that stand somewhere, and those that
// they started.
func (s *scene) helpers(x stand) (all []stand) {
	seen := map[int]bool{x.g.ID: true}
	for queue := []stand{x}; len(queue) > 0; queue = queue[1:] {
		for _, h := range s.of(x.pid) {
			if !seen[h.g.ID] && queue[0].startedBy(h) {
				seen[h.g.ID] = true
				all, queue = append(all, h), append(queue, h)
			}
		}
	}
	return all
}

// holders are the processes that hold the other end of what is waited for, and alive.
func (s *scene) holders(e *edge) []int {
	if e == nil {
		return nil
	}
	list := e.wakers
	if e.on != nil {
		list = e.on
	}
	return slices.DeleteFunc(slices.Clone(list), s.graph.ended)
}

// ended are the child processes of the test that had ended before.
func (s *scene) ended() (all []evidence.Process) {
	for _, p := range s.test.Processes {
		if n, there := s.graph.nodes[p.PID]; !p.Foreign && (!there || n.State == "Z") {
			all = append(all, p)
		}
	}
	return all
}

// opened is where the learner made an object, if that was seen.
func (s *scene) opened(object string) *evidence.Frame {
	var at *evidence.Frame
	for i, o := range s.test.Openings {
		if o.Kind == "fd" && slices.Contains(s.both(object), o.Object) && (at == nil || o.Sure) {
			at = &s.test.Openings[i].Frame
		}
	}
	return at
}

// surely is opened, of places alone of which the hooks were sure.
func (s *scene) surely(object string) *evidence.Frame {
	for i, o := range s.test.Openings {
		if o.Kind == "fd" && o.Sure && slices.Contains(s.both(object), o.Object) {
			return &s.test.Openings[i].Frame
		}
	}
	return nil
}

// both are the names of an object and of its other end.
func (s *scene) both(object string) []string {
	return append([]string{object}, s.graph.objects[object].Peers...)
}
