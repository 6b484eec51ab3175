package observe

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Of the kernel's include/uapi/linux/unix_diag.h and net/tcp_states.h.
const (
	diagShowName, diagShowVFS, diagShowPeer, diagShowIcons = 1, 2, 4, 8
	diagName, diagVFS, diagPeer, diagIcons                 = 0, 1, 2, 3

	stateEstablished, stateListen = 1, 10
)

// A unixSocket is what sock_diag(7) says of one.
type unixSocket struct {
	ino    uint32
	listen bool
	stream bool // or SOCK_SEQPACKET: connected, or a listener
	hasTo  bool
	to     uint32   // the other end; 0: nobody holds it
	queue  []uint32 // listener: clients that were not yet accepted
	name   string
	file   uint32 // the inode of its name; 0 for an abstract one
}

// unixSockets asks for all unix sockets of the network namespace of a process.
// /proc/net/unix does not say which two are joined.
func unixSockets(pid int) (map[uint32]unixSocket, error) {
	fd, err := diagSocket(pid)
	if err != nil {
		return nil, fmt.Errorf("unix sockets of %d: %w", pid, err)
	}
	defer unix.Close(fd)
	// struct nlmsghdr; struct unix_diag_req
	req := make([]byte, 16+24)
	binary.NativeEndian.PutUint32(req[0:], uint32(len(req)))
	binary.NativeEndian.PutUint16(req[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.NativeEndian.PutUint16(req[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	req[16] = unix.AF_UNIX
	binary.NativeEndian.PutUint32(req[20:], ^uint32(0)) // in every state
	binary.NativeEndian.PutUint32(req[28:], diagShowName|diagShowVFS|diagShowPeer|diagShowIcons)
	if err := unix.Sendto(fd, req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("unix sockets of %d: %w", pid, err)
	}
	all := make(map[uint32]unixSocket)
	buf := make([]byte, 1<<16)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("unix sockets of %d: %w", pid, err)
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			return nil, fmt.Errorf("unix sockets of %d: %w", pid, err)
		}
		for _, m := range messages {
			switch m.Header.Type {
			case unix.NLMSG_DONE:
				return all, nil
			case unix.NLMSG_ERROR:
				return nil, fmt.Errorf("unix sockets of %d: refused", pid)
			case unix.SOCK_DIAG_BY_FAMILY:
				if s, ok := parseUnixSocket(m.Data); ok {
					all[s.ino] = s
				}
			}
		}
	}
}

// parseUnixSocket reads a struct unix_diag_msg and its attributes.
func parseUnixSocket(b []byte) (unixSocket, bool) {
	if len(b) < 16 {
		return unixSocket{}, false
	}
	s := unixSocket{
		ino:    binary.NativeEndian.Uint32(b[4:]),
		listen: b[2] == stateListen,
		stream: b[1] != unix.SOCK_DGRAM,
	}
	for b = b[16:]; len(b) >= 4; {
		size := int(binary.NativeEndian.Uint16(b))
		kind := binary.NativeEndian.Uint16(b[2:])
		if size < 4 || size > len(b) {
			return unixSocket{}, false
		}
		value := b[4:size]
		switch kind {
		case diagName:
			s.name = strings.ReplaceAll(strings.TrimRight(string(value), "\x00"), "\x00", "@")
		case diagVFS: // inode and device
			if w := nativeWords(value); len(w) > 0 {
				s.file = w[0]
			}
		case diagPeer:
			if len(value) >= 4 {
				s.hasTo, s.to = true, binary.NativeEndian.Uint32(value)
			}
		case diagIcons:
			for ; len(value) >= 4; value = value[4:] {
				s.queue = append(s.queue, binary.NativeEndian.Uint32(value))
			}
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return s, true
}

// diagSocket opens a socket for questions in the network namespace of a
// process. Where that is not ours, entering it takes rights that a supervisor
// may lack.
func diagSocket(pid int) (int, error) {
	const kind = unix.SOCK_RAW | unix.SOCK_CLOEXEC
	theirs := "/proc/" + strconv.Itoa(pid) + "/ns/net"
	if same(theirs, "/proc/self/ns/net") {
		return unix.Socket(unix.AF_NETLINK, kind, unix.NETLINK_SOCK_DIAG)
	}
	type result struct {
		fd  int
		err error
	}
	done := make(chan result)
	go func() {
		// Never unlocked: the thread ends with this goroutine, as nobody else
		// may run on it.
		runtime.LockOSThread()
		f, err := os.Open(theirs)
		if err != nil {
			done <- result{-1, err}
			return
		}
		defer f.Close()
		if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- result{-1, err}
			return
		}
		fd, err := unix.Socket(unix.AF_NETLINK, kind, unix.NETLINK_SOCK_DIAG)
		done <- result{fd, err}
	}()
	r := <-done
	return r.fd, r.err
}

func same(a, b string) bool {
	x, err := os.Readlink(a)
	if err != nil {
		return false
	}
	y, err := os.Readlink(b)
	return err == nil && x == y
}
