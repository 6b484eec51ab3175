package observe

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
)

// An outsider is a process that is not in the tree, with what it shares with it.
type outsider struct {
	start uint64
	ends  []end
}

// An end is one thing that an outsider shares with the tree.
type end struct {
	object      string
	read, write bool
	locks       []evidence.Lock
	memory      string // a file that both have mapped
	path        string
}

// outside looks through every process that is not in the tree, the supervisor
// included, for other ends of what the tree waits for. A process whose
// descriptors we may not read is passed over: what it shares with the tree it
// shares with the supervisor too, through which the tree got it.
//
// It is the dearest part of a snapshot. Where an earlier look at the same tree
// at rest is given, only processes that have begun since then are searched: to
// get hold of an end, an outsider needs another that has it.
func (l *look) outside(earlier *look) error {
	if l.all == nil {
		var err error
		if l.all, err = everybody(); err != nil {
			return fmt.Errorf("snapshot: %w", err)
		}
	}
	paths, shared := l.wanted()
	known := make(map[int]outsider)
	if earlier != nil && l.same(earlier) {
		known = earlier.outsiders
	}
	l.outsiders = make(map[int]outsider)
	for pid, s := range l.all {
		if l.nodes[pid] != nil || s.flags&flagKernel != 0 {
			continue
		}
		o, ok := known[pid]
		if !ok || o.start != s.start {
			o = outsider{start: s.start, ends: l.search(pid, paths, shared)}
		}
		l.outsiders[pid] = o
		for _, e := range o.ends {
			l.join(pid, e)
		}
	}
	return nil
}

// wanted returns the paths of files on whose locks the tree waits, and the
// memory in which it waits.
func (l *look) wanted() (paths, shared map[string]bool) {
	paths, shared = make(map[string]bool), make(map[string]bool)
	for _, n := range l.list {
		for _, t := range n.Threads {
			if t.File != "" {
				paths[t.Path] = true
			}
			for _, m := range t.Memories() {
				shared[m.File] = true
			}
		}
	}
	return paths, shared
}

// same reports whether the tree waits for the same things as it did earlier.
func (l *look) same(earlier *look) bool {
	if len(l.objects) != len(earlier.objects) || len(l.list) != len(earlier.list) {
		return false
	}
	for id := range l.objects {
		if earlier.objects[id] == nil {
			return false
		}
	}
	for i, n := range l.list {
		if !slices.EqualFunc(n.Threads, earlier.list[i].Threads, func(a, b evidence.Thread) bool {
			return a.TID == b.TID && a.Switches == b.Switches
		}) {
			return false
		}
	}
	return true
}

// search finds what one process shares with the tree.
func (l *look) search(pid int, paths, shared map[string]bool) []end {
	var ends []end
	dir := "/proc/" + strconv.Itoa(pid)
	fds, err := numbers(dir + "/fd")
	if err != nil {
		return nil
	}
	for _, fd := range fds {
		number := "/" + strconv.Itoa(fd)
		link, err := os.Readlink(dir + "/fd" + number)
		if err != nil {
			continue
		}
		if link == "anon_inode:[eventfd]" {
			l.buf, _ = read(dir+"/fdinfo"+number, l.buf)
			link = "eventfd:[" + string(field(l.buf, "eventfd-id")) + "]"
		}
		memory := len(shared) > 0 && strings.HasPrefix(link, "/")
		if l.objects[link] == nil && !paths[link] && !memory {
			continue
		}
		if l.buf, err = read(dir+"/fdinfo"+number, l.buf); err != nil {
			continue
		}
		if memory {
			// Who holds the file can map it whenever it likes.
			ino := " " + string(field(l.buf, "ino"))
			for file := range shared {
				var s unix.Stat_t
				if strings.HasSuffix(file, ino) && unix.Stat(dir+"/fd"+number, &s) == nil &&
					file == fmt.Sprintf("%02x:%02x %d", unix.Major(uint64(s.Dev)), unix.Minor(uint64(s.Dev)), s.Ino) {
					ends = append(ends, end{memory: file, path: strings.TrimSuffix(link, " (deleted)")})
				}
			}
			if l.objects[link] == nil && !paths[link] {
				continue
			}
		}
		flags, _ := strconv.ParseUint(string(field(l.buf, "flags")), 8, 64)
		mode := flags & unix.O_ACCMODE
		ends = append(ends, end{
			object: link, read: mode != unix.O_WRONLY, write: mode != unix.O_RDONLY, locks: parseHeldLocks(l.buf),
		})
	}
	if len(shared) == 0 {
		return ends
	}
	if l.buf, err = read(dir+"/maps", l.buf); err != nil {
		return ends
	}
	for _, m := range parseMappings(l.buf) {
		if m.shared && shared[m.file] {
			ends = append(ends, end{memory: m.file, path: strings.TrimSuffix(m.path, " (deleted)")})
		}
	}
	return ends
}

// join notes that a process outside shares something with the tree.
func (l *look) join(pid int, e end) {
	if e.memory != "" {
		for _, n := range l.list {
			if slices.ContainsFunc(n.Threads, func(t evidence.Thread) bool {
				return slices.ContainsFunc(t.Memories(), func(m evidence.Memory) bool { return m.File == e.memory })
			}) {
				n.doubt("process " + strconv.Itoa(pid) + " outside shares the memory of " + e.path)
			}
		}
	}
	for i := range l.locks {
		lock := &l.locks[i]
		lock.Outside = lock.Outside || !lock.Waiting && holds(e.locks, *lock)
	}
	if x := l.objects[e.object]; x != nil {
		if e.read && !slices.Contains(x.Readers, pid) {
			x.Readers = append(x.Readers, pid)
		}
		if e.write && !slices.Contains(x.Writers, pid) {
			x.Writers = append(x.Writers, pid)
		}
	}
}
