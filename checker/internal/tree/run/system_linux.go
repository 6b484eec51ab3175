package run

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
)

// unchecked lists the findings that this system cannot look for.
func unchecked() []string { return nil }

// adoptOrphans makes this process the parent of every descendant whose own
// parent ends.
func adoptOrphans() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// ownSession takes the test process out of reach of the terminal and of its
// supervisor's process group.
//
// It also gets a world of its own (see worlds).
func ownSession(own world) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true, Cloneflags: uintptr(own)}
	if own == 0 {
		return attr
	}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
		attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN}
	}
	return attr
}

// childFaults returns how many page faults the ended and waited-for children of
// a process have had: field cminflt of /proc/PID/stat,
//
//	4312 (spawn.test) S 4300 4312 4312 0 -1 4194304 2201 39870 0 0 …
//
// which no code in the process can forge.
func childFaults(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 9 {
		return 0
	}
	n, _ := strconv.ParseInt(string(fields[8]), 10, 64)
	return n
}

// sharedObjects lists the POSIX shared-memory objects in the /dev/shm of a process: all
// that is there if it has one of its own, else what this user owns in the system's.
func sharedObjects(pid int) (objects, error) {
	dir := fmt.Sprintf("/proc/%d/root%s", pid, shmDir)
	var here, there unix.Stat_t
	if err := unix.Stat(shmDir, &here); err == unix.ENOENT {
		return objects{}, nil // where there is no such folder, no object can be made
	}
	all := objects{names: map[string]bool{}}
	all.own = unix.Stat(dir, &there) == nil && here.Dev != there.Dev
	if !all.own {
		dir = shmDir
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return all, err
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && (all.own || owner(info) == os.Geteuid()) {
			all.names[e.Name()] = true
		}
	}
	return all, nil
}

func statPath(pid int) string { return fmt.Sprintf("/proc/%d/stat", pid) }

// ownNetwork tells whether a process has a loopback interface of its own.
func ownNetwork(pid int) bool {
	mine, err1 := os.Readlink("/proc/self/ns/net")
	its, err2 := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	return err1 == nil && err2 == nil && mine != its
}

// cost returns the processor time of this process and of all that it has collected.
func cost() evidence.Cost {
	var self, children unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &self)
	_ = unix.Getrusage(unix.RUSAGE_CHILDREN, &children)
	seconds := func(r unix.Rusage) float64 {
		return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
	}
	return evidence.Cost{Supervisor: seconds(self), Watched: seconds(children)}
}

// quit asks one thread of a process for its goroutines.
func quit(pid, tid int) bool { return unix.Tgkill(pid, tid, unix.SIGQUIT) == nil }
