package observe

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// A machine is what the kernel has counted so far of the times in which a process
// cannot do what it wants. Each only grows; one that this kernel does not show is 0.
type machine struct {
	throttled time.Duration // a control group's quota of processor time was used up
	stolen    time.Duration // the host had the processors, all of them together
	memory    time.Duration // somebody waited for memory to be won back
	queued    time.Duration // somebody waited for a processor
	pressure  bool          // the kernel shows the last two
	running   int           // tasks that run or want to
}

func readMachine(pid int) machine {
	var m machine
	for _, path := range groupsOf(pid, "cpu", "cpu.stat") {
		if b, err := os.ReadFile(path); err == nil {
			m.throttled += throttled(b)
		}
	}
	m.memory, m.pressure = stalled("/proc/pressure/memory")
	m.queued, _ = stalled("/proc/pressure/cpu")
	if b, err := os.ReadFile("/proc/stat"); err == nil {
		m.stolen = stolen(b)
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		// 58.02 41.10 20.00 61/312 4711
		if f := bytes.Fields(b); len(f) > 3 {
			n, _, _ := bytes.Cut(f[3], []byte("/"))
			m.running = decimal(n)
		}
	}
	return m
}

// since is for how long everybody was held up, between two moments.
func (m machine) since(before machine) time.Duration {
	return max(0, m.throttled-before.throttled, m.memory-before.memory, (m.stolen-before.stolen)/time.Duration(runtime.NumCPU()))
}

// waited is for how long one of whom nobody knows may have waited for a processor in
// the span since.
func (m machine) waited(before machine, span time.Duration) time.Duration {
	if m.pressure {
		return max(0, m.queued-before.queued)
	}
	if m.running > runtime.NumCPU() {
		return span
	}
	return 0
}

// throttled reads cpu.stat of a control group, version 1 or 2:
//
//	nr_throttled 25
//	throttled_time 1979882449    (ns)
//	throttled_usec 1979882
func throttled(b []byte) time.Duration {
	for line := range bytes.Lines(b) {
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		n, err := strconv.ParseInt(value, 10, 64)
		switch {
		case err != nil:
		case name == "throttled_time":
			return time.Duration(n)
		case name == "throttled_usec":
			return time.Duration(n) * time.Microsecond
		}
	}
	return 0
}

// stalled reads the total of a file of /proc/pressure, in microseconds:
//
//	some avg10=0.00 avg60=0.00 avg300=0.00 total=1234
func stalled(path string) (time.Duration, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(b), "\n")
	_, total, ok := strings.Cut(line, "total=")
	n, err := strconv.ParseInt(strings.TrimSpace(total), 10, 64)
	return time.Duration(n) * time.Microsecond, ok && err == nil
}

// stolen reads the eighth number of the first line of /proc/stat:
//
//	cpu  43455 0 17626 105129 277 0 76 103 0 0
func stolen(b []byte) time.Duration {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	if f := bytes.Fields(line); len(f) > 8 {
		return time.Duration(max(0, decimal(f[8]))) * tick
	}
	return 0
}

// groupsOf lists a file of the control group of a process, and of those above it, in
// the hierarchy of version 1 with that controller and in that of version 2. A line of
// /proc/PID/cgroup is "1:cpu,cpuacct:/docker/2f" or "0::/user.slice". In a container
// the paths may be the host's, and the group is the root that is mounted here.
func groupsOf(pid int, controller, file string) []string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return nil
	}
	var all []string
	for line := range strings.Lines(string(b)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		var root string
		switch {
		case parts[1] == "":
			root = "/sys/fs/cgroup"
		case strings.Contains(","+parts[1]+",", ","+controller+","):
			root = "/sys/fs/cgroup/" + controller
		default:
			continue
		}
		for dir := filepath.Clean(parts[2]); ; dir = filepath.Dir(dir) {
			path := filepath.Join(root, dir, file)
			if _, err := os.Stat(path); err == nil {
				all = append(all, path)
			}
			if dir == "/" || dir == "." || strings.HasPrefix(dir, "/..") {
				break
			}
		}
	}
	return all
}

// quota is how many processors the groups of a process leave it, and 0 for no bound.
func quota(pid int) float64 {
	least := 0.0
	keep := func(quota, period float64) {
		if quota > 0 && period > 0 && (least == 0 || quota/period < least) {
			least = quota / period
		}
	}
	for _, path := range groupsOf(pid, "cpu", "cpu.max") { // "20000 100000" or "max 100000"
		var q, p float64
		if b, err := os.ReadFile(path); err == nil {
			if _, err := fmt.Sscanf(string(b), "%f %f", &q, &p); err == nil {
				keep(q, p)
			}
		}
	}
	for _, path := range groupsOf(pid, "cpu", "cpu.cfs_quota_us") { // "20000" or "-1"
		var q, p float64
		if b, err := os.ReadFile(path); err == nil {
			_, _ = fmt.Sscanf(string(b), "%f", &q)
		}
		if b, err := os.ReadFile(filepath.Join(filepath.Dir(path), "cpu.cfs_period_us")); err == nil {
			_, _ = fmt.Sscanf(string(b), "%f", &p)
		}
		keep(q, p)
	}
	return least
}

// Machine says in words how much this machine has for a process: "load 58 on 2 cores".
func Machine() string {
	load, _, _ := strings.Cut(readLoad(), ".")
	cores := "1 core"
	if n := runtime.NumCPU(); n > 1 {
		cores = fmt.Sprintf("%d cores", n)
	}
	words := fmt.Sprintf("load %s on %s", load, cores)
	if q := quota(os.Getpid()); q > 0 && q < float64(runtime.NumCPU()) {
		words += fmt.Sprintf(", of which a quota leaves %.2g", q)
	}
	return words
}
