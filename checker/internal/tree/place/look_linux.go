package place

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Look returns what is missing for the tests, and what to do about it: a sentence each.
// It takes a few milliseconds.
func Look(n Need) []string {
	if lack := proc(); lack != "" {
		return []string{lack} // nothing else can be seen either
	}
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if most := limit(unix.RLIMIT_NOFILE); most < uint64(n.Files) {
		say("a process may open %d files here, and the tests need up to %d: raise the limit (ulimit -n; docker run --ulimit nofile=…)", most, n.Files)
	}
	if most := limit(unix.RLIMIT_FSIZE); most < uint64(n.Bytes) {
		say("a file may have %d bytes here, and the tests need up to %d: lift the limit (ulimit -f unlimited)", most, n.Bytes)
	}
	if most := limit(unix.RLIMIT_AS); n.Race && most < 2<<30 {
		say("a process may map %d MiB here, which is too few for the race detector: lift the limit (ulimit -v unlimited)", most>>20)
	}
	if most := limit(unix.RLIMIT_DATA); most < 1<<30 {
		say("the data of a process may have %d MiB here, which is too few for the tests: lift the limit (ulimit -d unlimited)", most>>20)
	}
	if room, known := Tasks(); known && room < n.Tasks {
		say("%d more processes and threads fit here, and the tests need up to %d: end some, or raise the limit (ulimit -u; docker run --pids-limit)", room, n.Tasks)
	}
	if free, known := systemFiles(); known && free < n.Files {
		say("all processes of this machine together can open only %d files more: end some, or raise /proc/sys/fs/file-max", free)
	}
	if n.Loopback {
		if err := loopback(); err != nil {
			say("TCP on this machine does not work (%v), and the tests need it: start the loopback interface (ip link set lo up)", err)
		}
	}
	return all
}

// limit is the hard one: the soft one can be raised.
func limit(what int) uint64 {
	var l unix.Rlimit
	if unix.Getrlimit(what, &l) != nil {
		return unix.RLIM_INFINITY
	}
	return l.Max
}

// proc tells what is the matter with /proc, if anything is. That of another PID
// namespace shows processes under numbers that are not theirs here.
func proc() string {
	const mend = ": mount one (mount -t proc proc /proc; unshare --mount-proc)"
	self, err := os.Readlink("/proc/self")
	if err != nil {
		return fmt.Sprintf("/proc is not there (%v), and the checker sees processes by it", reason(err)) + mend
	}
	if self != strconv.Itoa(os.Getpid()) {
		return fmt.Sprintf("/proc belongs to another PID namespace (it calls this process %s, and the kernel calls it %d)", self, os.Getpid()) + mend
	}
	for _, file := range []string{"/proc/self/stat", "/proc/self/status", "/proc/self/task/" + self + "/syscall", "/proc/self/maps", "/proc/self/cmdline"} {
		f, err := os.Open(file)
		if err != nil {
			return fmt.Sprintf("%s cannot be read here (%v), and the checker sees processes by it: run it where /proc is whole", file, reason(err))
		}
		f.Close()
	}
	return ""
}

// Tasks returns how many processes and threads can be added to what runs, as far as
// this user's limit and the control groups say; not known is no bound at all.
func Tasks() (room int, known bool) {
	lower := func(n int) {
		if !known || n < room {
			room, known = max(n, 0), true
		}
	}
	// The limit does not hold for the superuser.
	if most := limit(unix.RLIMIT_NPROC); os.Getuid() != 0 && most < 1<<20 {
		lower(int(most) - ownTasks())
	}
	for _, dir := range groups("pids") {
		most, ok := number(dir + "/pids.max")
		now, ok2 := number(dir + "/pids.current")
		if ok && ok2 {
			lower(int(most - now))
		}
	}
	return room, known
}

// ownTasks counts the threads of this user's processes, from the lines of
// /proc/PID/status:
//
//	Uid:	1000	1000	1000	1000
//	Threads:	7
func ownTasks() (n int) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	me := strconv.Itoa(os.Getuid())
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		b, err := os.ReadFile("/proc/" + e.Name() + "/status")
		if err != nil {
			continue
		}
		_, text, _ := strings.Cut(string(b), "\nUid:\t")
		uid, text, _ := strings.Cut(text, "\t")
		_, text, _ = strings.Cut(text, "\nThreads:\t")
		threads, _, _ := strings.Cut(text, "\n")
		if k, err := strconv.Atoi(threads); err == nil && uid == me {
			n += k
		}
	}
	return n
}

// systemFiles reads /proc/sys/fs/file-nr: "1376	0	9223372036854775807".
func systemFiles() (free int, known bool) {
	b, err := os.ReadFile("/proc/sys/fs/file-nr")
	fields := strings.Fields(string(b))
	if err != nil || len(fields) != 3 {
		return 0, false
	}
	used, err1 := strconv.ParseInt(fields[0], 10, 64)
	most, err2 := strconv.ParseInt(fields[2], 10, 64)
	return int(most - used), err1 == nil && err2 == nil
}

// loopback sends a byte to itself.
func loopback() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	defer c.Close()
	peer, err := l.Accept()
	if err != nil {
		return err
	}
	defer peer.Close()
	if _, err := peer.Write([]byte{1}); err != nil {
		return err
	}
	_, err = io.ReadFull(c, make([]byte, 1))
	return err
}

// Calls tells whether the system calls in which a process sleeps can be seen: not where
// the kernel was built without them, or lets nobody look into another process.
func Calls(pid int) error {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/syscall")
	if err == nil && len(b) == 0 {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Time tells whether the kernel counts exactly what a process takes of the processors.
func Time(pid int) error {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/schedstat")
	if err == nil && strings.HasPrefix(string(b), "0 0 0") {
		err = io.ErrUnexpectedEOF // it does not
	}
	return err
}
