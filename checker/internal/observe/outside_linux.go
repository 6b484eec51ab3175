package observe

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
)

// flagKernel is PF_KTHREAD of the kernel's include/linux/sched.h.
const flagKernel = 0x00200000

// outside looks through every process that is not in the tree, the supervisor
// included, for other ends of what the tree waits for. A process whose
// descriptors we may not read is passed over: what it shares with the tree it
// shares with the supervisor too, through which the tree got it.
func (o *Observer) outside(all map[int]stat, nodes map[int]*node, locks []evidence.Lock) {
	paths := make(map[string]bool) // of files with locks
	shared := make(map[string][]*node)
	events := false
	for _, n := range nodes {
		for _, t := range n.Threads {
			if t.File != "" {
				paths[t.Path] = true
			}
			if t.Memory != "" {
				shared[t.Memory] = append(shared[t.Memory], n)
			}
		}
	}
	for _, x := range o.objects {
		// The runtime of each Go program has an event of its own, which
		// nobody else ever holds.
		events = events || x.Kind == "eventfd" && o.holders[x.ID] > 1
	}
	for pid, s := range all {
		if nodes[pid] != nil || s.flags&flagKernel != 0 {
			continue
		}
		dir := "/proc/" + strconv.Itoa(pid)
		fds, err := numbers(dir + "/fd")
		if err != nil {
			continue
		}
		for _, fd := range fds {
			number := "/" + strconv.Itoa(fd)
			link, err := os.Readlink(dir + "/fd" + number)
			if err != nil {
				continue
			}
			if events && link == "anon_inode:[eventfd]" {
				info, _ := read(dir+"/fdinfo"+number, nil)
				link = "eventfd:[" + string(field(info, "eventfd-id")) + "]"
			}
			x := o.objects[link]
			if x == nil && !paths[link] {
				continue
			}
			info, err := read(dir+"/fdinfo"+number, nil)
			if err != nil {
				continue
			}
			for _, held := range parseHeldLocks(info) {
				for i := range locks {
					locks[i].Outside = locks[i].Outside || !locks[i].Waiting && holds([]evidence.Lock{held}, locks[i])
				}
			}
			if x == nil {
				continue
			}
			flags, _ := strconv.ParseUint(string(field(info, "flags")), 8, 64)
			if mode := flags & unix.O_ACCMODE; mode != unix.O_WRONLY {
				x.Readers = add(x.Readers, pid)
			}
			if mode := flags & unix.O_ACCMODE; mode != unix.O_RDONLY {
				x.Writers = add(x.Writers, pid)
			}
		}
		if len(shared) == 0 {
			continue
		}
		maps, err := read(dir+"/maps", nil)
		if err != nil {
			continue
		}
		for _, m := range parseMappings(maps) {
			if !m.shared {
				continue
			}
			for _, n := range shared[m.file] {
				n.doubt("process " + strconv.Itoa(pid) + " outside shares the memory of " + strings.TrimSuffix(m.path, " (deleted)"))
			}
		}
	}
}

func add(list []int, pid int) []int {
	for _, p := range list {
		if p == pid {
			return list
		}
	}
	return append(list, pid)
}
