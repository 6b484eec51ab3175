package run

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ends opens a handle on a process by which the kernel tells its end at that moment. It
// is nil where the kernel has none (before Linux 5.10), and then the end is seen by who
// looks later. The process must not be collected before ends returns.
func ends(pid int) *os.File {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), "pidfd")
}

// waitEnd returns when the process has ended, with how it did, "" if that is not known; it
// is false if the handle was closed before.
func waitEnd(handle *os.File, pid int) (exit string, ok bool) {
	raw, err := handle.SyscallConn()
	if err != nil {
		return "", false
	}
	err = raw.Read(func(fd uintptr) bool {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, _ := unix.Poll(p, 0)
		return n > 0
	})
	if err != nil {
		return "", false
	}
	return exitOf(raw, pid), true
}

// exitOf says how a process has ended: by its entry in /proc as long as its parent has
// not collected it, by its handle afterwards (Linux 6.15 and later).
func exitOf(raw syscall.RawConn, pid int) (exit string) {
	if b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err == nil {
		if status, ok := parseExit(b); ok {
			return exitText(status)
		}
	}
	_ = raw.Control(func(fd uintptr) {
		info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, uintptr(unix.PIDFD_GET_INFO), uintptr(unsafe.Pointer(&info)))
		if errno == 0 && info.Mask&unix.PIDFD_INFO_EXIT != 0 {
			exit = exitText(syscall.WaitStatus(info.Exit_code))
		}
	})
	return exit
}

// parseExit reads the last number of the line of a process that has ended and was not yet
// collected:
//
//	4312 (worker) Z 4300 4300 4300 0 -1 4227084 95 0 0 0 0 0 0 0 20 0 1 0 98713 0 … 0 0 256
func parseExit(line []byte) (status syscall.WaitStatus, ok bool) {
	end := bytes.LastIndexByte(line, ')')
	f := bytes.Fields(line[end+1:])
	if end < 0 || len(f) < 50 || string(f[0]) != "Z" {
		return 0, false
	}
	n, err := strconv.ParseUint(string(f[len(f)-1]), 10, 32)
	return syscall.WaitStatus(n), err == nil
}

// exitText says it as package os does.
func exitText(s syscall.WaitStatus) string {
	switch {
	case s.Signaled() && s.CoreDump():
		return "signal: " + s.Signal().String() + " (core dumped)"
	case s.Signaled():
		return "signal: " + s.Signal().String()
	}
	return "exit status " + strconv.Itoa(s.ExitStatus())
}

// birth is who started a process, as the kernel numbers it for this one, and when, in ticks
// after the machine's start; 0 if that is not known.
func birth(pid int) (parent int, ticks uint64) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if err != nil || len(f) < 20 {
		return 0, 0
	}
	parent, _ = strconv.Atoi(string(f[1]))
	ticks, _ = strconv.ParseUint(string(f[19]), 10, 64)
	return parent, ticks
}

// uptime is the time since the machine was started, in seconds, as the starts of
// processes are counted.
func uptime() (float64, bool) {
	var up unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up)
	return float64(up.Nano()) / 1e9, err == nil
}
