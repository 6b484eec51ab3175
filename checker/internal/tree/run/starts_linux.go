package run

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/tree/wire"
)

// Starts counts the processes that run the tests' own program, by the kernel's word: each
// announces itself as it starts, over a socket; the kernel says who it is that is
// connected, and which program that one runs; and it waits until that has been looked at.
// What the announcement itself says is taken for a name, and for nothing else.
type starts struct {
	listener *net.UnixListener
	program  os.FileInfo

	line *chronicle

	mu   sync.Mutex
	all  []wire.Child
	open map[io.Closer]bool // connections, and handles of those that live
}

// newStarts begins to listen in the run's folder.
func newStarts(dir, binary string, box *Box, line *chronicle) (*starts, error) {
	fail := func(err error) (*starts, error) { return nil, fmt.Errorf("%w: listen for children: %w", errSetUp, err) }
	program, err := os.Stat(binary)
	if err != nil {
		return fail(err)
	}
	// A path of more than 107 bytes is no address, but this one is always short.
	at, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fail(err)
	}
	defer unix.Close(at)
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Net: "unixpacket", Name: fmt.Sprintf("/proc/self/fd/%d/%s", at, wire.StartSocket)})
	if err != nil {
		return fail(err)
	}
	l.SetUnlinkOnClose(false) // it goes with the folder
	if err := box.give(filepath.Join(dir, wire.StartSocket)); err != nil {
		l.Close()
		return fail(err)
	}
	s := &starts{listener: l, program: program, line: line, open: map[io.Closer]bool{}}
	go s.accept()
	return s, nil
}

func (s *starts) accept() {
	for {
		conn, err := s.listener.AcceptUnix()
		if err != nil {
			return
		}
		s.hold(conn)
		go s.hear(conn)
	}
}

// hear notes one announcement.
func (s *starts) hear(conn *net.UnixConn) {
	defer s.let(conn)
	_ = conn.SetDeadline(time.Now().Add(10 * time.Minute)) // who has nothing to say is forgotten
	b := make([]byte, 4096)
	n, err := conn.Read(b)
	if err != nil {
		return
	}
	pid := peer(conn)
	// As long as it waits for the answer it runs what it runs.
	its, err := os.Stat("/proc/" + strconv.Itoa(pid) + "/exe")
	if pid > 0 && err == nil && os.SameFile(its, s.program) {
		var c wire.Child
		_ = json.Unmarshal(b[:n], &c) // without a name it counts too
		c.PID = pid
		s.mu.Lock()
		s.all = append(s.all, c)
		s.mu.Unlock()
		parent, ticks := birth(pid)
		s.line.started(wire.Child{PID: pid, Parent: parent, Name: c.Name}, ticks)
		s.follow(pid)
	}
	_, _ = conn.Write([]byte{1}) // it may have ended
}

// hold keeps what is to be closed at the end, and let closes it before that.
func (s *starts) hold(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[c] = true
}

func (s *starts) let(c io.Closer) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

// follow has the end of a process told, which waits for an answer meanwhile.
func (s *starts) follow(pid int) {
	handle := ends(pid)
	if handle == nil {
		return
	}
	s.hold(handle)
	go func() {
		defer s.let(handle)
		if exit, ok := waitEnd(handle, pid); ok {
			s.line.ended(pid, exit)
		}
	}()
}

// peer is the process at the other end, as the kernel numbers it for this one.
func peer(conn *net.UnixConn) (pid int) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) {
		if who, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pid = int(who.Pid)
		}
	})
	return pid
}

// take returns those that have started since the last call.
func (s *starts) take() []wire.Child {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all
	s.all = nil
	return all
}

// close lets every child that still waits go on.
func (s *starts) close() {
	s.listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		c.Close()
	}
}
