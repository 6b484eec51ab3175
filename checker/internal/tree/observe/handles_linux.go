package observe

import (
	"bytes"
	"encoding/binary"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
)

// handles reads the descriptors of a process, and notes the locks on files that
// it holds.
func (l *look) handles(n *node) error {
	dir := "/proc/" + strconv.Itoa(n.PID)
	fds, err := numbers(dir + "/fd")
	if err != nil {
		return err
	}
	slices.Sort(fds)
	for _, fd := range fds {
		number := strconv.Itoa(fd)
		link, err := os.Readlink(dir + "/fd/" + number)
		if err == nil {
			l.buf, err = read(dir+"/fdinfo/"+number, l.buf)
		}
		if gone(err) { // closed: the next snapshot will differ
			n.doubt("a descriptor was closed just now")
			continue
		}
		if err != nil {
			return err
		}
		n.links = append(n.links, link)
		n.fds = append(n.fds, fd)
		n.locks = append(n.locks, parseHeldLocks(l.buf)...)
		n.inodes = append(n.inodes, string(field(l.buf, "ino")))
		flags, _ := strconv.ParseUint(string(field(l.buf, "flags")), 8, 64)
		n.async = append(n.async, flags&unix.O_ASYNC != 0)
		if h, ok := l.handle(n, fd, link, l.buf); ok {
			n.Handles = append(n.Handles, h)
		}
	}
	return nil
}

// handle says what a descriptor is joined to; it is false for one that nobody
// waits for in sleep, such as a file on a disk. The file info is
//
//	pos:	0
//	flags:	02004002
//	mnt_id:	14
//	ino:	4711
//
// with further lines for some kinds.
func (l *look) handle(n *node, fd int, link string, info []byte) (evidence.Handle, bool) {
	h := evidence.Handle{FD: fd, Object: link}
	flags, _ := strconv.ParseUint(string(field(info, "flags")), 8, 64)
	switch flags & unix.O_ACCMODE {
	case unix.O_RDONLY:
		h.Read = true
	case unix.O_WRONLY:
		h.Write = true
	case unix.O_RDWR:
		h.Read, h.Write = true, true
	}
	switch {
	case flags&unix.O_PATH != 0:
		return h, false
	case strings.HasPrefix(link, "pipe:"):
		l.object(link, "pipe")
	case strings.HasPrefix(link, "socket:"):
		l.object(link, "")
	case isPidfd(link):
		// "Pid:	4312"
		h.Of = decimal(field(info, "Pid"))
		h.Object = "pidfd:[" + strconv.Itoa(h.Of) + "]"
	case link == "anon_inode:[eventfd]":
		// "eventfd-id: 17"
		h.Object = "eventfd:[" + string(field(info, "eventfd-id")) + "]"
		if x := l.object(h.Object, "eventfd"); h.Object == "eventfd:[]" {
			x.Doubt = "its kernel does not say which event it is"
		}
	case link == "anon_inode:[eventpoll]":
		h.Object = "epoll"
		h.Members = parseEpoll(info)
	case link == "anon_inode:[timerfd]":
		h.Object = "timerfd of " + strconv.Itoa(n.PID) + " at " + strconv.Itoa(fd)
		if x := l.object(h.Object, "timerfd"); !timerOff(info) {
			x.Doubt = "a timer is running"
		}
	case link == "anon_inode:[signalfd]":
		// "sigmask:	0000000000002000"
		h.Object = "signalfd of " + strconv.Itoa(n.PID) + " at " + strconv.Itoa(fd)
		if x := l.object(h.Object, "signalfd"); !n.told && hex(field(info, "sigmask"))&(1<<(unix.SIGALRM-1)) != 0 {
			x.Doubt = "it waits for an alarm"
		}
	case link == "anon_inode:inotify":
		h.Object = "inotify of " + strconv.Itoa(n.PID) + " at " + strconv.Itoa(fd)
		l.object(h.Object, "inotify").Stranger = !l.watchesOwn(info)
	case link == "anon_inode:[io_uring]":
		h.Object = "ring of " + strconv.Itoa(n.PID) + " at " + strconv.Itoa(fd)
		// Nothing was ever handed to it, and no thread of the kernel looks whether
		// something is.
		l.object(h.Object, "ring")
		if string(field(info, "CachedSqHead")) == "0" && decimal(field(info, "SqThread")) == -1 {
			n.rings++
		} else {
			n.anybody = true
		}
	case strings.HasPrefix(link, "/"):
		var s unix.Stat_t
		path := "/proc/" + strconv.Itoa(n.PID) + "/fd/" + strconv.Itoa(fd)
		if err := unix.Stat(path, &s); err == nil && s.Mode&unix.S_IFMT == unix.S_IFIFO {
			x := l.object(link, "pipe")
			x.Stranger = x.Stranger || l.reachable(n, link, &s)
			return h, true
		}
		return h, false // a thread that sleeps in it nevertheless is taken to be alive
	default:
		l.object(link, "")
	}
	return h, true
}

// parseEpoll reads lines such as
//
//	tfd:        5 events: 8000201d data: 7f5d4c5c3ef80001  pos:0 ino:4f3 sdev:e
//
// The kernel shows the descriptor's number as it was when it was put into the
// set; whether it still stands for the same thing, the inode tells.
func parseEpoll(info []byte) []evidence.Member {
	var list []evidence.Member
	for line := range bytes.Lines(info) {
		if !bytes.HasPrefix(line, []byte("tfd:")) {
			continue
		}
		m := evidence.Member{FD: -1, Unknown: true}
		if f := bytes.Fields(line); len(f) >= 4 {
			m.FD, m.Unknown = decimal(f[1]), false
		}
		list = append(list, m)
	}
	return list
}

// members checks a process's epoll sets against its descriptors, once all of
// them are known.
func (l *look) members(n *node) {
	for i := range n.Handles {
		h := &n.Handles[i]
		if h.Object != "epoll" {
			continue
		}
		var err error
		l.buf, err = read("/proc/"+strconv.Itoa(n.PID)+"/fdinfo/"+strconv.Itoa(h.FD), l.buf)
		if err != nil {
			n.doubt("a descriptor was closed just now")
			continue
		}
		i := 0
		for line := range bytes.Lines(l.buf) {
			if !bytes.HasPrefix(line, []byte("tfd:")) || i == len(h.Members) {
				continue
			}
			m := &h.Members[i]
			i++
			at := slices.Index(n.fds, m.FD)
			if at < 0 {
				m.Unknown = true
				continue
			}
			// "ino:4f3" is in base 16, "pipe:[1267]" in base 10.
			if kind, id, ok := strings.Cut(n.links[at], ":["); ok && (kind == "pipe" || kind == "socket") {
				if _, ino, _ := bytes.Cut(line, []byte("ino:")); strconv.FormatUint(hex(firstWord(ino)), 10)+"]" != id {
					m.Unknown = true
				}
			}
			if _, data, _ := bytes.Cut(line, []byte("data:")); !m.Unknown && n.program.end != 0 {
				pollWaiters(n.PID, m, hex(firstWord(data)))
			}
		}
	}
}

func firstWord(b []byte) []byte {
	if f := bytes.Fields(b); len(f) > 0 {
		return f[0]
	}
	return nil
}

// pollWaiters looks into the Go runtime's own record of a polled descriptor
// (pollDesc in runtime/netpoll.go), to which the data of the epoll set points,
// and notes which goroutines wait for it. The record holds the descriptor's
// number and the pointer's tag once more, so a runtime that does it differently
// is noticed, and nothing is said.
func pollWaiters(pid int, m *evidence.Member, data uint64) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		return
	}
	// Go 1.26, and those before: bits of the tag, bits that alignment frees.
	for _, shift := range [][2]uint{{24, 9}, {19, 3}} {
		tag := data & (1<<shift[0] - 1)
		addr := uint64(int64(data) >> shift[0] << shift[1])
		if runtime.GOARCH == "arm64" {
			addr = data >> shift[0] << shift[1]
		}
		// link, fd, fdseq, atomicInfo, rg, wg: words of 8 bytes
		var b [48]byte
		if addr == 0 || !peek(pid, addr, b[:]) {
			continue
		}
		word := func(i int) uint64 { return binary.NativeEndian.Uint64(b[8*i:]) }
		if word(1) != uint64(m.FD) || word(2)&(1<<shift[0]-1) != tag {
			continue
		}
		// 0 is nobody, 1 is "ready", 2 is "about to wait"; else it is who waits.
		m.Waiters = ""
		const about = 2
		if g := word(4); g >= about {
			m.Waiters, m.ReadBy = "r", g
		}
		if g := word(5); g >= about {
			m.Waiters, m.WriteBy = m.Waiters+"w", g
		}
		if m.Waiters == "" {
			m.Waiters = "none"
		}
		return
	}
}

// timerOff looks for a line
//
//	it_value: (0, 0)
func timerOff(info []byte) bool { return string(field(info, "it_value")) == "(0, 0)" }
