package observe

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
)

// Processes returns every process below root, in the order of process IDs,
// those that have ended and are not yet waited for (state Z) included. They are
// found by their chain of parents, so neither a session nor a process group
// hides one, as long as root is a child subreaper.
func Processes(root int) ([]evidence.Process, error) {
	below, ok := family(root)
	if !ok {
		all, err := everybody()
		if err != nil {
			return nil, fmt.Errorf("processes: %w", err)
		}
		if below, err = descendants(root, all); err != nil {
			return nil, fmt.Errorf("processes below %d: %w", root, err)
		}
	}
	list := make([]evidence.Process, 0, len(below))
	for pid, s := range below {
		if p, ok := process(pid, s); ok {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b evidence.Process) int { return a.PID - b.PID })
	return list, nil
}

// everybody reads all of /proc, but for the kernel's own threads.
func everybody() (map[int]stat, error) {
	pids, err := numbers("/proc")
	if err != nil {
		return nil, err
	}
	kernel := kernelThreads()
	all := make(map[int]stat, len(pids))
	var buf []byte
	for _, pid := range pids {
		if kernel[pid] {
			continue
		}
		buf, err = readLine("/proc/"+strconv.Itoa(pid)+"/stat", buf)
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		s, err := parseStat(buf)
		if err != nil {
			return nil, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
		all[pid] = s
	}
	return all, nil
}

// flagKernel is PF_KTHREAD of the kernel's include/linux/sched.h.
const flagKernel = 0x00200000

// kernelThreads returns the children of the kernel's process 2, which are most
// of the processes of many systems, and none of which concerns us.
func kernelThreads() map[int]bool {
	buf, err := readLine("/proc/2/stat", nil)
	if err != nil {
		return nil
	}
	if s, err := parseStat(buf); err != nil || s.flags&flagKernel == 0 {
		return nil // in a namespace it is somebody else
	}
	buf, err = read("/proc/2/task/2/children", buf)
	if err != nil {
		return nil
	}
	pids := map[int]bool{2: true}
	for word := range bytes.FieldsSeq(buf) {
		pids[decimal(word)] = true
	}
	return pids
}

// descendants keeps those that are below root.
func descendants(root int, all map[int]stat) (map[int]stat, error) {
	if _, ok := all[root]; !ok {
		return nil, unix.ESRCH
	}
	below := make(map[int]stat)
	for pid, s := range all {
		// The chain is no longer than the number of processes, whatever
		// happened while it was read.
		for up, n := s.parent, 0; up > 0 && n < len(all); up, n = all[up].parent, n+1 {
			if up == root {
				below[pid] = s
				break
			}
		}
	}
	return below, nil
}

// process completes what stat says; it is false for a process that is gone.
func process(pid int, s stat) (evidence.Process, bool) {
	dir := "/proc/" + strconv.Itoa(pid)
	p := evidence.Process{
		PID: pid, Parent: s.parent, Name: s.name, State: s.state,
		Session: s.session == pid, Start: s.start, Ending: s.flags&flagExiting != 0,
	}
	if status, err := read(dir+"/status", nil); err == nil {
		pending := hex(field(status, "SigPnd")) | hex(field(status, "ShdPnd"))
		p.Ending = p.Ending || pending&(1<<(unix.SIGKILL-1)) != 0
	} else if gone(err) {
		return p, false
	}
	// A process that has ended has no arguments, and one may erase its own.
	if args, err := read(dir+"/cmdline", nil); err == nil && len(args) > 0 {
		for arg := range bytes.SplitSeq(bytes.TrimSuffix(args, []byte{0}), []byte{0}) {
			p.Args = append(p.Args, string(arg))
		}
		if p.Args[0] != "" {
			p.Name = p.Args[0]
		}
	}
	return p, true
}

// Memory returns how much of a process's memory is resident. It is cheap.
func Memory(pid int) (rssBytes int64, err error) {
	b, err := readLine("/proc/"+strconv.Itoa(pid)+"/statm", nil)
	if err != nil {
		return 0, fmt.Errorf("memory of %d: %w", pid, err)
	}
	pages, err := parseStatm(b)
	if err != nil {
		return 0, fmt.Errorf("memory of %d: %w", pid, err)
	}
	return pages * int64(os.Getpagesize()), nil
}

// parseStatm returns the second number, the resident pages, of a line such as
//
//	310862 4417 1650 707 0 12346 0
func parseStatm(line []byte) (pages int64, err error) {
	f := bytes.Fields(line)
	if len(f) < 2 {
		return 0, fmt.Errorf("%d fields in %q", len(f), line)
	}
	return strconv.ParseInt(string(f[1]), 10, 64)
}
