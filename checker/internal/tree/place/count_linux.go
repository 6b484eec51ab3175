package place

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Count is what the kernel has refused so far, by its own counters: a process that
// it has ended for want of memory, a task that did not fit.
type Count map[string]int64

// Note takes the counters as they stand.
func Note() Count {
	c := Count{}
	memory := false
	for _, dir := range groups("memory") {
		for _, file := range []string{"memory.events", "memory.oom_control"} { // version 2, version 1
			if n, ok := entry(filepath.Join(dir, file), "oom_kill"); ok {
				c["the kernel ended a process because the memory that may be used here had run out ("+dir+")"] = n
				memory = true
			}
		}
	}
	for _, dir := range groups("pids") {
		if n, ok := entry(filepath.Join(dir, "pids.events"), "max"); ok {
			c["the kernel refused to start a process because the bound of processes here was reached ("+dir+")"] = n
		}
	}
	if n, ok := entry("/proc/vmstat", "oom_kill"); ok && !memory {
		c["the kernel ended a process because the machine's memory had run out"] = n
	}
	return c
}

// Since says what was refused after the count was taken.
func (c Count) Since() []string {
	var all []string
	for what, n := range Note() {
		if before, ok := c[what]; ok && n > before {
			all = append(all, what)
		}
	}
	return all
}

// Room says what is free where dir lies, and false if that is nearly nothing.
func Room(dir string) (string, bool) {
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil {
		return "", true
	}
	free := int64(fs.Bavail) * fs.Bsize
	if fs.Blocks > 0 && free < 1<<20 || fs.Files > 0 && fs.Ffree == 0 {
		return fmt.Sprintf("%s is full (%d KiB and %d files are free)", dir, free>>10, fs.Ffree), false
	}
	return "", true
}

// groups lists the control groups that bound this process in a resource: its own and
// all above it, as far as they are seen here. A line of /proc/self/cgroup is
// "0::/user.slice" for version 2 and "8:pids:/" for version 1.
func groups(resource string) []string {
	f, err := os.Open("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	defer f.Close()
	var all []string
	for s := bufio.NewScanner(f); s.Scan(); {
		parts := strings.SplitN(s.Text(), ":", 3)
		if len(parts) != 3 {
			continue
		}
		root := "/sys/fs/cgroup"
		if parts[1] != "" {
			if parts[1] != resource {
				continue
			}
			root = filepath.Join(root, resource)
		}
		for dir := filepath.Clean("/" + parts[2]); ; dir = filepath.Dir(dir) {
			all = append(all, filepath.Join(root, dir))
			if dir == "/" {
				break
			}
		}
	}
	return all
}

// number reads a file that holds one number; "max" is none.
func number(path string) (int64, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil
}

// entry reads a line like "oom_kill 3" of a file that holds several.
func entry(path, name string) (int64, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			n, err := strconv.ParseInt(text, 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
