package observe

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"prokata/checker/internal/evidence"
)

// An Observer takes snapshots of one tree. It is not safe for use by several
// goroutines.
type Observer struct {
	root     int
	in       Inside
	programs map[fileID]*program
}

// New returns an observer of the tree below root.
func New(root int, in Inside) *Observer {
	return &Observer{root: root, in: in, programs: make(map[fileID]*program)}
}

// A look is a snapshot while it is being taken.
type look struct {
	*Observer
	all       map[int]stat // every process of the system, once asked for
	nodes     map[int]*node
	list      []*node // in the order of process IDs
	objects   map[string]*evidence.Object
	ipc       string // where the supervisor's semaphores are
	allLocks  []evidence.Lock
	locks     []evidence.Lock // those that the tree waits for
	outsiders map[int]outsider
	buf       []byte
}

// A node is a process while its snapshot is being taken.
type node struct {
	evidence.Node
	program *program
	told    bool  // the kernel tells of what it sets for later
	ipc     bool  // semaphores and message queues are the tree's own
	rings   int   // rings of requests that nobody has used
	anybody bool  // by what it has set, others may wake too
	fds     []int // every descriptor, with its link and its inode
	links   []string
	inodes  []string
	async   []bool          // it was told to send a signal when something happens
	locks   []evidence.Lock // held by its open files
	maps    []mapping       // once asked for
}

func (n *node) doubt(why string) {
	if !slices.Contains(n.Doubts, why) {
		n.Doubts = append(n.Doubts, why)
	}
}

func (n *node) link(fd int) string {
	if i := slices.Index(n.fds, fd); i >= 0 {
		return n.links[i]
	}
	return ""
}

func (n *node) mappings() []mapping {
	if n.maps == nil {
		b, err := read("/proc/"+strconv.Itoa(n.PID)+"/maps", nil)
		if err != nil {
			n.doubt("its memory cannot be read")
			return nil
		}
		n.maps = parseMappings(b)
	}
	return n.maps
}

// Snapshot looks at everything. It costs a few milliseconds, and what it shows
// of a tree that moves is blurred: only two equal ones show how things are.
func (o *Observer) Snapshot() (evidence.Snapshot, error) {
	l, err := o.look()
	if err != nil {
		return evidence.Snapshot{Root: o.root}, err
	}
	err = l.outside(nil)
	return l.snapshot(), err
}

// look looks at the tree itself.
func (o *Observer) look() (*look, error) {
	l := &look{Observer: o, nodes: make(map[int]*node), objects: make(map[string]*evidence.Object)}
	l.ipc, _ = os.Readlink("/proc/self/ns/ipc")
	below, ok := family(o.root)
	var err error
	if !ok {
		if l.all, err = everybody(); err != nil {
			return nil, fmt.Errorf("snapshot: %w", err)
		}
		if below, err = descendants(o.root, l.all); err != nil {
			return nil, fmt.Errorf("snapshot below %d: %w", o.root, err)
		}
	}
	if l.allLocks, err = readLocks(); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	for _, pid := range slices.Sorted(maps.Keys(below)) {
		n, ok, err := l.node(pid, below[pid])
		if err != nil {
			return nil, fmt.Errorf("snapshot of %d: %w", pid, err)
		}
		if ok {
			l.nodes[pid] = n
			l.list = append(l.list, n)
		}
	}
	l.sharers()
	l.sockets()
	l.asyncs()
	l.locks = l.waitedLocks()
	return l, nil
}

// snapshot is what the look has shown, as evidence.
func (l *look) snapshot() evidence.Snapshot {
	snap := evidence.Snapshot{Root: l.root, Locks: l.locks}
	for _, n := range l.list {
		snap.Processes = append(snap.Processes, n.Node)
	}
	for _, id := range slices.Sorted(maps.Keys(l.objects)) {
		x := *l.objects[id]
		slices.Sort(x.Readers)
		slices.Sort(x.Writers)
		snap.Objects = append(snap.Objects, x)
	}
	return snap
}

// node looks at one process; it is false for one that is gone.
func (l *look) node(pid int, s stat) (*node, bool, error) {
	p, ok := process(pid, s)
	if !ok {
		return nil, false, nil
	}
	n := &node{Node: evidence.Node{Process: p}, program: &program{}}
	if p.State != "Z" {
		n.program = l.program(pid)
		n.Go = n.program.isGo
		if n.program.unread != "" {
			n.doubt(n.program.unread)
		}
		for _, look := range []func(*node) error{l.rest, l.handles, l.threads, l.standing} {
			err := look(n)
			if gone(err) {
				return nil, false, nil
			}
			if os.IsPermission(err) {
				n.doubt("it may not be looked at: " + err.Error())
				continue
			}
			if err != nil {
				return nil, false, err
			}
		}
		l.members(n)
		return n, true, nil
	}
	// The first thread may have ended while others go on.
	if tids, err := numbers("/proc/" + strconv.Itoa(pid) + "/task"); err == nil && len(tids) > 1 {
		n.doubt("its first thread has ended, others go on")
	}
	return n, true, nil
}

// rest looks at signals and namespaces.
func (l *look) rest(n *node) error {
	dir := "/proc/" + strconv.Itoa(n.PID)
	status, err := read(dir+"/status", nil)
	if err != nil {
		return err
	}
	const filtered = 2 // SECCOMP_MODE_FILTER
	n.told = l.in.Wakes != nil && decimal(field(status, "Seccomp")) == filtered
	if !n.Go { // the runtime of Go catches nearly all
		n.Caught = hex(field(status, "SigCgt"))
	}
	ipc, err := os.Readlink(dir + "/ns/ipc")
	n.ipc = err == nil && (l.in.Own || ipc != l.ipc)
	// "NSpid:	4312	7	1"
	if ids := strings.Fields(string(field(status, "NSpid"))); len(ids) > 1 {
		for _, id := range ids {
			n.Inner = append(n.Inner, decimal([]byte(id)))
		}
	}
	return nil
}

// sharers finds out who in the tree shares the memory that some thread waits
// in.
func (l *look) sharers() {
	wanted := make(map[string]bool)
	for _, n := range l.list {
		for _, t := range n.Threads {
			for _, m := range t.Memories() {
				wanted[m.File] = true
			}
		}
	}
	if len(wanted) == 0 {
		return
	}
	for _, n := range l.list {
		if n.State == "Z" {
			continue
		}
		for _, m := range n.mappings() {
			if m.shared && wanted[m.file] && !slices.Contains(n.Maps, m.file) {
				n.Maps = append(n.Maps, m.file)
			}
		}
	}
}

// object returns the object of that name.
func (l *look) object(id, kind string) *evidence.Object {
	x := l.objects[id]
	if x == nil {
		x = &evidence.Object{ID: id, Kind: kind}
		l.objects[id] = x
	}
	return x
}
