package crawl

import (
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"sync"

	"prokata/checker/todo"
)

// A Manager is a server process that holds dicts and lists.
type Manager struct {
	cmd      *exec.Cmd
	dir      string    // holds the socket
	lifeline io.Closer // the manager's standard input: it serves until this is closed
	done     chan struct{}
	err      error // how the process ended; valid when done is closed
}

// StartManager starts a manager. When it returns, Dial works. Nothing is left of
// one that cannot be started.
func StartManager() (m *Manager, err error) {
	// TODO: open the socket, start the process that serves it.
	return nil, todo.Err("crawl: StartManager")
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
	// TODO: end the process, wait for it, remove what it leaves.
	return todo.Err("crawl: Manager.Shutdown")
}

// manage is the manager process. Its first argument is the folder to remove
// at its end, descriptor 3 is the listening socket.
func manage() {
	// TODO: accept and serve clients until the parent closes the lifeline.
	todo.Err("crawl: manager")
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
	// TODO: decode a request, do it, encode the response; again.
	todo.Err("crawl: store.serve")
}

// do answers one request. What it returns is sent after the lock is released:
// values are never changed, only replaced; but maps and slices are copied.
func (s *store) do(q request) (a response) {
	// TODO: one case for each operation.
	todo.Err("crawl: store.do")
	return response{}
}
