package crawl

import (
	"encoding/gob"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
)

// A Manager is a server process that holds dicts and lists.
type Manager struct {
	cmd      *exec.Cmd
	dir      string    // holds the socket
	lifeline io.Closer // the manager's standard input: it serves until this is closed
	done     chan struct{}
	err      error // how the process ended; valid when done is closed
}

// StartManager starts a manager. When it returns, Dial works.
func StartManager() (m *Manager, err error) {
	// The folder is for this user alone, and so is the socket in it.
	dir, err := os.MkdirTemp("", "manager-")
	if err != nil {
		return nil, err
	}
	m = &Manager{dir: dir, done: make(chan struct{})}
	defer func() {
		if err != nil {
			os.Remove(filepath.Join(dir, "socket"))
			os.Remove(dir)
		}
	}()
	// The parent opens the socket and hands it on. So there is no moment at
	// which the process runs and the socket is not there yet: whoever dials
	// early waits in the socket's queue until the manager accepts.
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: m.Addr(), Net: "unix"})
	if err != nil {
		return nil, err
	}
	socket.SetUnlinkOnClose(false) // the file has to outlive this process's copy
	file, err := socket.File()
	socket.Close()
	if err != nil {
		return nil, err
	}
	// As long as this process held a copy, dialing would work, and wait for
	// ever, when the manager is dead.
	defer file.Close()

	m.cmd = child("crawl-manager", dir)
	m.cmd.ExtraFiles = []*os.File{file}
	if m.lifeline, err = m.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := m.cmd.Start(); err != nil { // closes the pipe
		return nil, fmt.Errorf("start manager: %w", err)
	}
	go func() {
		m.err = m.cmd.Wait()
		close(m.done)
	}()
	return m, nil
}

// Addr returns the path of the manager's socket, for Dial in any process.
func (m *Manager) Addr() string { return filepath.Join(m.dir, "socket") }

// PID returns the manager's process ID.
func (m *Manager) PID() int { return m.cmd.Process.Pid }

// Done returns a channel that is closed when the manager has ended, for
// whatever reason, and was waited for.
func (m *Manager) Done() <-chan struct{} { return m.done }

// Shutdown ends the manager, whoever is still connected, waits for it, and
// removes its socket. It returns ErrManagerLost if the manager did not end in
// order: if it had been killed before.
func (m *Manager) Shutdown() error {
	m.lifeline.Close()
	<-m.done
	os.RemoveAll(m.dir) // a manager that was killed could not do it
	if m.err != nil {
		return fmt.Errorf("%w: %w", ErrManagerLost, m.err)
	}
	return nil
}

// manage is the manager process. Its first argument is the folder to remove
// at its end, descriptor 3 is the listening socket.
func manage() {
	log.SetPrefix("crawl-manager: ")
	socket, err := net.FileListener(os.NewFile(3, "socket"))
	if err != nil {
		log.Fatal(err)
	}
	// The input ends by Shutdown, and also when the parent has died: then
	// nobody else is left to remove the socket.
	go func() {
		io.Copy(io.Discard, os.Stdin)
		socket.Close()
	}()
	s := &store{dicts: make(map[string]map[string][]byte), lists: make(map[string][][]byte)}
	for {
		conn, err := socket.Accept()
		if err != nil {
			break
		}
		go s.serve(conn)
	}
	// Connections end with the process. To wait until the clients close them
	// would be to wait for clients that wait for us.
	os.RemoveAll(os.Args[1])
}

// A request is one call of a proxy's method.
type request struct {
	Op    string // "dict.get", "list.append"
	Name  string // of the dict or list
	Key   string
	Index int
	Value []byte // encoded; none of the manager's business
	Old   []byte // dict.swap: what Value is to replace; empty: nothing
}

// A response is the manager's answer. OK is false for a key or an index that is
// not there, and for a swap that came too late.
type response struct {
	OK     bool
	Len    int
	Value  []byte
	Keys   []string
	Values [][]byte
}

// store is what the manager keeps.
type store struct {
	mu    sync.Mutex // held for one request: each is atomic, two in a row are not
	dicts map[string]map[string][]byte
	lists map[string][][]byte
}

// serve answers one client until it is gone, or sends what is no request.
func (s *store) serve(conn net.Conn) {
	defer conn.Close()
	in, out := gob.NewDecoder(conn), gob.NewEncoder(conn)
	for {
		var q request
		if in.Decode(&q) != nil {
			return
		}
		if out.Encode(s.do(q)) != nil {
			return
		}
	}
}

// do answers one request. What it returns is sent after the lock is released:
// values are never changed, only replaced; but maps and slices are copied.
func (s *store) do(q request) (a response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dict, list := s.dicts[q.Name], s.lists[q.Name]
	if dict == nil {
		dict = make(map[string][]byte)
		s.dicts[q.Name] = dict
	}
	switch q.Op {
	case "dict.get":
		a.Value, a.OK = dict[q.Key]
	case "dict.set":
		dict[q.Key], a.OK = q.Value, true
	case "dict.swap":
		if a.OK = string(dict[q.Key]) == string(q.Old); a.OK {
			dict[q.Key] = q.Value
		}
	case "dict.delete":
		_, a.OK = dict[q.Key]
		delete(dict, q.Key)
	case "dict.all":
		a.Keys = slices.Sorted(maps.Keys(dict))
		for _, k := range a.Keys {
			a.Values = append(a.Values, dict[k])
		}
	case "dict.len":
		a.Len = len(dict)
	case "list.append":
		s.lists[q.Name], a.OK = append(list, q.Value), true
	case "list.get", "list.set", "list.delete":
		if a.OK = 0 <= q.Index && q.Index < len(list); !a.OK {
			break
		}
		switch q.Op {
		case "list.get":
			a.Value = list[q.Index]
		case "list.set":
			list[q.Index] = q.Value
		case "list.delete":
			s.lists[q.Name] = slices.Delete(list, q.Index, q.Index+1)
		}
	case "list.all":
		a.Values = slices.Clone(list)
	case "list.len":
		a.Len = len(list)
	}
	return a
}
