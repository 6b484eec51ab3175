package watch

import (
	"bytes"
	"os"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// These make system calls directly: those of package os, and unix.Read, order the
// goroutines of this process for the race detector, and would hide its races.

// pause sleeps, and exactly: package time sleeps for a millisecond at least where
// nothing else runs.
func pause(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_, _, _ = unix.Syscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
}

// resting says whether every thread of a process sleeps, is stopped or has ended. What
// cannot be seen counts as resting.
func resting(pid int) bool {
	all := true
	each("/proc/"+strconv.Itoa(pid)+"/task", func(path string) bool {
		// 4312 (a name) with) parens) S 4310 …
		var buf [128]byte
		b := content(path+"/stat", buf[:])
		if i := bytes.LastIndexByte(b, ')'); i >= 0 && len(b) > i+2 && (b[i+2] == 'R' || b[i+2] == 'D') {
			all = false
		}
		return all
	})
	return all
}

// cpuTime returns the processor time of a process in nanoseconds, or 0 if there is none.
func cpuTime(pid int) int64 {
	const ofProcess = 2 // CPUCLOCK_SCHED; see clock_getcpuclockid(3)
	var ts unix.Timespec
	if unix.ClockGettime(int32(^pid<<3|ofProcess), &ts) != nil {
		return 0
	}
	return ts.Nano()
}

// relatives returns this process's children and siblings.
func relatives() []int {
	var pids []int
	for _, pid := range []int{os.Getpid(), os.Getppid()} {
		each("/proc/"+strconv.Itoa(pid)+"/task", func(path string) bool {
			var buf [4096]byte
			for _, text := range bytes.Fields(content(path+"/children", buf[:])) { // 4312 4313
				if n, err := strconv.Atoi(string(text)); err == nil && n != os.Getpid() {
					pids = append(pids, n)
				}
			}
			return true
		})
	}
	return pids
}

// each calls f with the path of each entry of a folder of /proc, until it says false.
func each(dir string, f func(path string) bool) {
	fd, ok := open(dir, unix.O_DIRECTORY)
	if !ok {
		return
	}
	defer closeFile(fd)
	var buf [4096]byte
	for {
		n, _, errno := unix.Syscall(unix.SYS_GETDENTS64, fd, uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)))
		if errno != 0 || n == 0 {
			return
		}
		_, _, names := unix.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			if !f(dir + "/" + name) {
				return
			}
		}
	}
}

// content returns the beginning of a file.
func content(path string, buf []byte) []byte {
	fd, ok := open(path, 0)
	if !ok {
		return nil
	}
	defer closeFile(fd)
	n, _, errno := unix.Syscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)))
	if errno != 0 {
		return nil
	}
	return buf[:n]
}

func open(path string, flags uintptr) (fd uintptr, ok bool) {
	p, err := unix.BytePtrFromString(path)
	if err != nil {
		return 0, false
	}
	at := unix.AT_FDCWD
	fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(at), uintptr(unsafe.Pointer(p)), unix.O_RDONLY|unix.O_CLOEXEC|flags, 0, 0, 0)
	return fd, errno == 0
}

func closeFile(fd uintptr) { _, _, _ = unix.Syscall(unix.SYS_CLOSE, fd, 0, 0) }
