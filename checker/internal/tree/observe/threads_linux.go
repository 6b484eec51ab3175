package observe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
)

// A blocked is what /proc/PID/task/TID/syscall says of a thread.
type blocked struct {
	running bool // or it was woken while the kernel looked
	nr      int  // -1: it sleeps, but not in a system call
	args    [6]uint64
	sp      uint64
}

// parseBlocked reads one of the lines
//
//	202 0xc000080148 0x80 0x0 0x0 0x0 0x0 0x7ffc4d0f1d58 0x46d0e3
//	-1 0x7ffc4d0f1d58 0x46d0e3
//	running
//
// The numbers after the call's arguments are the stack pointer and the program
// counter.
func parseBlocked(line []byte) (blocked, bool) {
	var b blocked
	line = bytes.TrimSpace(line)
	if string(line) == "running" {
		b.running = true
		return b, true
	}
	word, rest, ok := bytes.Cut(line, []byte(" "))
	nr, err := strconv.Atoi(string(word))
	if !ok || err != nil {
		return b, false
	}
	b.nr = nr
	if nr < 0 {
		return b, true
	}
	for i := range 8 {
		word, rest, _ = bytes.Cut(rest, []byte(" "))
		if len(word) < 3 {
			return b, false
		}
		n := hex(word[2:])
		switch {
		case i < 6:
			b.args[i] = n
		case i == 6:
			b.sp = n
		}
	}
	return b, true
}

// threads reads every thread of a process.
func (l *look) threads(n *node) error {
	dir := "/proc/" + strconv.Itoa(n.PID) + "/task/"
	tids, err := numbers(dir)
	if err != nil {
		return err
	}
	slices.Sort(tids)
	for _, tid := range tids {
		t, b, err := l.thread(dir + strconv.Itoa(tid) + "/")
		if gone(err) { // it ended: the next snapshot will differ
			n.doubt("a thread has ended just now")
			continue
		}
		if err != nil {
			return err
		}
		t.TID = tid
		if t.State == "S" {
			l.details(n, &t, b)
		}
		n.Threads = append(n.Threads, t)
	}
	return nil
}

func (l *look) thread(dir string) (t evidence.Thread, b blocked, err error) {
	if l.buf, err = read(dir+"status", l.buf); err != nil {
		return t, b, err
	}
	// "State:	S (sleeping)"
	t.State = string(field(l.buf, "State")[:1])
	t.Switches = uint64(decimal(field(l.buf, "voluntary_ctxt_switches")) + decimal(field(l.buf, "nonvoluntary_ctxt_switches")))
	if decimal(field(l.buf, "TracerPid")) > 0 {
		t.State = "t"
	}
	// A signal on its way means that the thread is about to run.
	pending := hex(field(l.buf, "SigPnd")) | hex(field(l.buf, "ShdPnd"))
	if t.State == "S" && pending&^hex(field(l.buf, "SigBlk")) != 0 {
		t.State = "R"
	}
	if t.State != "S" {
		return t, b, nil
	}
	if l.buf, err = readLine(dir+"syscall", l.buf); err != nil {
		return t, b, err
	}
	b, ok := parseBlocked(l.buf)
	if !ok {
		return t, b, fmt.Errorf("%ssyscall: %q", dir, l.buf)
	}
	switch name, known := calls[b.nr]; {
	case b.running:
		t.State = "R"
	case known:
		t.Call, t.Args = name, b.args[:]
	default:
		t.Call = "call " + strconv.Itoa(b.nr)
	}
	return t, b, nil
}

// details adds what a call's arguments point to.
func (l *look) details(n *node, t *evidence.Thread, b blocked) {
	switch t.Call {
	case "futex":
		if t.Timed() {
			if d, ok := readTimespec(n.PID, b.args[3]); ok {
				t.Timeout = &d
			}
			t.Monitor = n.program.inMonitor(n.PID, b.sp)
		} else if t.Notify = n.program.inNotify(n.PID, b.sp); t.Notify {
			n.Caught = wantedSignals(n.PID, b.args[0])
		}
		if op, private := t.FutexOp(); op >= 0 && !private {
			l.word(n, t, b.args[0])
		}
	case "futex_waitv":
		l.words(n, t, b)
	case "open", "openat":
		l.opening(n, t, b)
	case "semop", "semtimedop", "msgrcv", "msgsnd":
		if !n.ipc {
			t.Stranger = "another program can reach it by its key"
		}
	case "mq_timedreceive", "mq_timedsend":
		t.Path = n.link(int(int32(b.args[0])))
		if !n.ipc {
			t.Stranger = "another program can open it by its name"
		}
	case "rt_sigtimedwait":
		if set := make([]byte, 8); peek(n.PID, b.args[0], set) {
			n.Caught |= binary.NativeEndian.Uint64(set)
		}
	case "restart_syscall":
		// What a call with a timeout becomes when its process was stopped and
		// continued.
		t.Monitor = n.program.inMonitor(n.PID, b.sp)
	case "read", "readv", "recvfrom", "recvmsg", "accept", "accept4", "write", "writev", "sendto", "sendmsg":
		fd := int(int32(b.args[0]))
		if strings.HasPrefix(n.link(fd), "socket:") && hasTimeout(n.PID, fd) {
			n.doubt("a call on a socket has a timeout")
		}
	case "flock", "fcntl":
		fd := int(int32(b.args[0]))
		t.Path = n.link(fd)
		t.File = l.waitedFile(n, fd)
	case "poll", "ppoll":
		t.Polls = readPollfds(n.PID, b.args[0], b.args[1])
	case "select", "pselect6":
		t.Polls = readSelect(n.PID, b.args)
	}
}

// peek reads memory of another process; it needs the rights of a debugger,
// which a parent has over its descendants.
func peek(pid int, addr uint64, buf []byte) bool {
	local := unix.Iovec{Base: &buf[0]}
	local.SetLen(len(buf))
	n, err := unix.ProcessVMReadv(pid, []unix.Iovec{local}, []unix.RemoteIovec{{Base: uintptr(addr), Len: len(buf)}}, 0)
	return err == nil && n == len(buf)
}

// readTimespec reads seconds and nanoseconds.
func readTimespec(pid int, addr uint64) (ns int64, ok bool) {
	var b [16]byte
	if !peek(pid, addr, b[:]) {
		return 0, false
	}
	s, ns := int64(binary.NativeEndian.Uint64(b[:])), int64(binary.NativeEndian.Uint64(b[8:]))
	if s < 0 || s > 1e9 { // a time of day in the far future, not a duration
		return 0, false
	}
	return s*1e9 + ns, true
}

// maxPolled bounds what is read of a set that another process made.
const maxPolled = 4096

// readPollfds reads an array of struct pollfd { int fd; short events, revents; }.
func readPollfds(pid int, addr, count uint64) []evidence.Member {
	unknown := []evidence.Member{{FD: -1, Unknown: true}}
	if count == 0 {
		return nil
	}
	if count > maxPolled {
		return unknown
	}
	b := make([]byte, 8*count)
	if !peek(pid, addr, b) {
		return unknown
	}
	var list []evidence.Member
	for ; len(b) > 0; b = b[8:] {
		fd := int(int32(binary.NativeEndian.Uint32(b)))
		if fd >= 0 {
			list = append(list, evidence.Member{FD: fd})
		}
	}
	return list
}

// readSelect reads the three sets of select(2): bits, by descriptor.
func readSelect(pid int, args [6]uint64) []evidence.Member {
	unknown := []evidence.Member{{FD: -1, Unknown: true}}
	if args[0] > maxPolled {
		return unknown
	}
	words := (args[0] + 63) / 64
	sets := make([]byte, 3*8*words)
	if words == 0 {
		return nil
	}
	for i := range uint64(3) {
		if args[i+1] != 0 && !peek(pid, args[i+1], sets[i*8*words:(i+1)*8*words]) {
			return unknown
		}
	}
	in := func(set, fd uint64) bool {
		return binary.NativeEndian.Uint64(sets[8*(set*words+fd/64):])>>(fd%64)&1 != 0
	}
	var list []evidence.Member
	for fd := range args[0] {
		if in(0, fd) || in(1, fd) || in(2, fd) {
			list = append(list, evidence.Member{FD: int(fd)})
		}
	}
	return list
}
