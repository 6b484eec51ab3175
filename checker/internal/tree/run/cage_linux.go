package run

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A cage bounds the number of tasks in a tree, in the kernel: a program that forks
// without end doubles faster than anybody can look.
type cage struct {
	dir    string // the group that counts tasks
	memory string // the group that counts memory: in a sandbox only
	made   bool   // by us
}

// newCage makes a control group for the tree if this user may, of version 2 or 1.
// Without one, the bound is the user's number of processes (see hold).
// In a sandbox, the one who has built it has made them.
func newCage(processes int, box *Box) cage {
	if box != nil {
		return cage{dir: box.Tasks, memory: box.Memory}
	}
	for _, parent := range groups() {
		dir, err := os.MkdirTemp(parent, "prokata-")
		if err != nil {
			continue
		}
		if os.WriteFile(filepath.Join(dir, "pids.max"), []byte(strconv.Itoa(processes*TasksEach)), 0) == nil {
			return cage{dir: dir, made: true}
		}
		_ = os.Remove(dir)
	}
	return cage{}
}

// refused returns how often the kernel has refused a task beyond the bound, from the
// line "max 12" of pids.events.
func (c cage) refused() (n int64) {
	if c.dir == "" {
		return 0
	}
	b, err := os.ReadFile(filepath.Join(c.dir, "pids.events"))
	if err != nil {
		return 0
	}
	_, _ = fmt.Sscanf(string(b), "max %d", &n)
	return n
}

// starved returns how many processes of the tree the kernel has ended for want of memory,
// from the line "oom_kill 1" of memory.events (version 2) or memory.oom_control.
func (c cage) starved() (n int64) {
	if c.memory == "" {
		return 0
	}
	for _, file := range []string{"memory.events", "memory.oom_control"} {
		b, err := os.ReadFile(filepath.Join(c.memory, file))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			if _, err := fmt.Sscanf(line, "oom_kill %d", &n); err == nil {
				return n
			}
		}
	}
	return 0
}

// groups lists the control groups of this process in hierarchies that can count
// tasks. A line of /proc/self/cgroup is "0::/user.slice" for version 2 and
// "8:pids:/" for version 1.
func groups() []string {
	f, err := os.Open("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	defer f.Close()
	var all []string
	for s := bufio.NewScanner(f); s.Scan(); {
		parts := strings.SplitN(s.Text(), ":", 3)
		switch {
		case len(parts) != 3:
		case parts[1] == "pids":
			all = append(all, filepath.Join("/sys/fs/cgroup/pids", parts[2]))
		case parts[1] == "":
			all = append(all, filepath.Join("/sys/fs/cgroup", parts[2]))
		}
	}
	return all
}

// hold puts a process that has not begun yet into the cage. It is an error where there is
// one to be put into.
func (c cage) hold(pid, processes int) error {
	for _, dir := range []string{c.memory, c.dir} {
		if dir == "" {
			continue
		}
		err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
		if err != nil && !c.made && !errors.Is(err, unix.ESRCH) { // ESRCH: it has ended
			return fmt.Errorf("put the tests into their control group: %w", err)
		}
		if err == nil && dir == c.dir {
			return nil
		}
	}
	// The limit counts all tasks of this user, so those that are there come on top.
	// It does not hold for the superuser, who can make control groups instead.
	bound := uint64(count() + processes*TasksEach)
	_ = unix.Prlimit(pid, unix.RLIMIT_NPROC, &unix.Rlimit{Cur: bound, Max: bound}, nil)
	return nil
}

// count returns the number of tasks of the whole system, from the fourth field of
// /proc/loadavg: "0.20 0.18 0.12 1/80 11206".
func count() int {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	var load [3]float64
	var running, all int
	_, _ = fmt.Sscanf(string(b), "%f %f %f %d/%d", &load[0], &load[1], &load[2], &running, &all)
	return all
}

// remove gives the control group back, once its last task has gone.
func (c cage) remove() {
	if !c.made {
		return
	}
	for wait := time.Millisecond; wait < time.Second; wait *= 2 {
		if err := os.Remove(c.dir); err == nil || errors.Is(err, os.ErrNotExist) {
			return
		}
		time.Sleep(wait)
	}
}
