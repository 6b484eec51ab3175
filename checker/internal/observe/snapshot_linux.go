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
	programs map[fileID]*program
	buf      []byte

	// Of the snapshot that is being taken:
	lockList []evidence.Lock
	objects  map[string]*evidence.Object
	holders  map[string]int // how many processes of the tree hold an object
}

// New returns an observer of the tree below root.
func New(root int) *Observer {
	return &Observer{root: root, programs: make(map[fileID]*program)}
}

// A node is a process while its snapshot is being taken.
type node struct {
	evidence.Node
	program *program
	fds     []int // every descriptor, with its link and its inode
	links   []string
	inodes  []string
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
	snap := evidence.Snapshot{Root: o.root}
	all, err := everybody()
	if err != nil {
		return snap, fmt.Errorf("snapshot: %w", err)
	}
	below, err := descendants(o.root, all)
	if err != nil {
		return snap, fmt.Errorf("snapshot below %d: %w", o.root, err)
	}
	if o.lockList, err = o.readLocks(); err != nil {
		return snap, fmt.Errorf("snapshot: %w", err)
	}
	o.objects = make(map[string]*evidence.Object)
	o.holders = make(map[string]int)
	nodes := make(map[int]*node)
	var list []*node
	for _, pid := range slices.Sorted(maps.Keys(below)) {
		n, ok, err := o.node(pid, below[pid])
		if err != nil {
			return snap, fmt.Errorf("snapshot of %d: %w", pid, err)
		}
		if ok {
			nodes[pid] = n
			list = append(list, n)
		}
	}
	o.sharers(list)
	o.sockets(list)
	snap.Locks = o.locks(list)
	o.outside(all, nodes, snap.Locks)
	for _, n := range list {
		snap.Processes = append(snap.Processes, n.Node)
	}
	for _, id := range slices.Sorted(maps.Keys(o.objects)) {
		x := o.objects[id]
		slices.Sort(x.Readers)
		slices.Sort(x.Writers)
		snap.Objects = append(snap.Objects, *x)
	}
	return snap, nil
}

// node looks at one process; it is false for one that is gone.
func (o *Observer) node(pid int, s stat) (*node, bool, error) {
	p, ok := process(pid, s)
	if !ok {
		return nil, false, nil
	}
	n := &node{Node: evidence.Node{Process: p}, program: &program{}}
	if p.State != "Z" {
		n.program = o.program(pid)
		n.Go = n.program.isGo
		if n.program.doubt != "" {
			n.doubt(n.program.doubt)
		}
		for _, look := range []func(*node) error{o.handles, o.rest, o.threads} {
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
		o.members(n)
		return n, true, nil
	}
	// The first thread may have ended while others go on.
	if tids, err := numbers("/proc/" + strconv.Itoa(pid) + "/task"); err == nil && len(tids) > 1 {
		n.doubt("its first thread has ended, others go on")
	}
	return n, true, nil
}

// rest looks at timers and namespaces.
func (o *Observer) rest(n *node) error {
	dir := "/proc/" + strconv.Itoa(n.PID)
	// A kernel without this file leaves timer_create(2) unseen; Go programs
	// have no use for it.
	if b, err := read(dir+"/timers", nil); err == nil && len(b) > 0 {
		n.doubt("it has a timer of its own")
	}
	status, err := read(dir+"/status", nil)
	if err != nil {
		return err
	}
	// "NSpid:	4312	7	1"
	if ids := strings.Fields(string(field(status, "NSpid"))); len(ids) > 1 {
		for _, id := range ids {
			n.Inner = append(n.Inner, decimal([]byte(id)))
		}
	}
	return nil
}

// sharers finds out who in the tree shares the memory that some thread waits
// in, and who holds which object.
func (o *Observer) sharers(list []*node) {
	wanted := make(map[string]bool)
	for _, n := range list {
		for _, t := range n.Threads {
			if t.Memory != "" {
				wanted[t.Memory] = true
			}
		}
		seen := make(map[string]bool)
		for _, h := range n.Handles {
			if !seen[h.Object] {
				o.holders[h.Object]++
			}
			seen[h.Object] = true
		}
	}
	if len(wanted) == 0 {
		return
	}
	for _, n := range list {
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
func (o *Observer) object(id, kind string) *evidence.Object {
	x := o.objects[id]
	if x == nil {
		x = &evidence.Object{ID: id, Kind: kind}
		o.objects[id] = x
	}
	return x
}
