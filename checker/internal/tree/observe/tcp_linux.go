package observe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A tcpSocket is a line of /proc/net/tcp.
type tcpSocket struct {
	local, remote netip.AddrPort
	state         uint64
	sending       uint64 // bytes that the other end has not yet confirmed
	unread        uint64
	timer         uint64
	ino           uint64 // 0: nobody holds it (any more, or not yet)
}

// States and timers of the kernel's net/tcp_states.h and net/ipv4/tcp_ipv4.c.
const (
	tcpFinWait2, tcpClose, tcpCloseWait = 5, 7, 8

	timerNone, timerRetransmit, timerOther, timerTimeWait, timerProbe = 0, 1, 2, 3, 4
)

// parseTCP reads a line such as
//
//	0: 0100007F:1F90 0100007F:D43A 01 00000000:00000000 00:00000000 00000000  1000        0 31337 1 0000000000000000 20 4 30 10 -1
//
// in which an address is its words of 32 bits, each printed as this machine
// reads it.
func parseTCP(line []byte) (tcpSocket, bool) {
	f := bytes.Fields(line)
	if len(f) < 10 || f[0][len(f[0])-1] != ':' {
		return tcpSocket{}, false
	}
	var s tcpSocket
	var ok [2]bool
	s.local, ok[0] = parseTCPAddr(f[1])
	s.remote, ok[1] = parseTCPAddr(f[2])
	sending, unread, _ := bytes.Cut(f[4], []byte(":"))
	timer, _, _ := bytes.Cut(f[5], []byte(":"))
	s.state, s.sending, s.unread, s.timer = hex(f[3]), hex(sending), hex(unread), hex(timer)
	ino, err := strconv.ParseUint(string(f[9]), 10, 64)
	s.ino = ino
	return s, ok[0] && ok[1] && err == nil
}

func parseTCPAddr(b []byte) (netip.AddrPort, bool) {
	ip, port, ok := bytes.Cut(b, []byte(":"))
	if !ok || len(ip)%8 != 0 {
		return netip.AddrPort{}, false
	}
	var raw []byte
	for ; len(ip) > 0; ip = ip[8:] {
		raw = binary.NativeEndian.AppendUint32(raw, uint32(hex(ip[:8])))
	}
	addr, ok := netip.AddrFromSlice(raw)
	// A socket for both families shows an IPv4 peer in IPv6's form.
	return netip.AddrPortFrom(addr.Unmap(), uint16(hex(port))), ok
}

// inetSockets reads all of a protocol ("tcp", "udp", whose lines are alike) in the
// network namespace of a process.
func inetSockets(pid int, protocol string) ([]tcpSocket, error) {
	var list []tcpSocket
	for _, name := range []string{protocol, protocol + "6"} {
		b, err := read("/proc/"+strconv.Itoa(pid)+"/net/"+name, nil)
		if err != nil && name != protocol { // a kernel without IPv6
			continue
		}
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(b) {
			if s, ok := parseTCP(line); ok {
				list = append(list, s)
			}
		}
	}
	return list, nil
}

// borrow gives f a copy of a socket of another process for as long as it runs.
// It is for trees at rest alone: a process that closed its own meanwhile would
// not have closed the connection.
func borrow(pid, fd int, f func(socket int) error) error {
	p, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("socket %d of %d: %w", fd, pid, err)
	}
	defer unix.Close(p)
	socket, err := unix.PidfdGetfd(p, fd, 0)
	if err != nil {
		return fmt.Errorf("socket %d of %d: %w", fd, pid, err)
	}
	defer unix.Close(socket)
	return f(socket)
}

// tcpInfo asks for what /proc does not show of a TCP socket.
func tcpInfo(pid, fd int) (info *unix.TCPInfo, err error) {
	err = borrow(pid, fd, func(socket int) error {
		if protocol, err := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_PROTOCOL); err != nil || protocol != unix.IPPROTO_TCP {
			return errors.New("no TCP socket")
		}
		info, err = unix.GetsockoptTCPInfo(socket, unix.IPPROTO_TCP, unix.TCP_INFO)
		return err
	})
	return info, err
}

// hasTimeout reports whether a blocking call on a socket of another process may
// end by SO_RCVTIMEO or SO_SNDTIMEO, which nothing else shows.
func hasTimeout(pid, fd int) bool {
	err := borrow(pid, fd, func(socket int) error {
		for _, option := range []uintptr{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
			var tv unix.Timeval
			size := uint32(unsafe.Sizeof(tv))
			_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(socket), unix.SOL_SOCKET, option,
				uintptr(unsafe.Pointer(&tv)), uintptr(unsafe.Pointer(&size)), 0)
			if errno != 0 || tv.Sec != 0 || tv.Usec != 0 {
				return errors.New("it has a timeout")
			}
		}
		return nil
	})
	return err != nil
}
