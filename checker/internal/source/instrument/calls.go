package instrument

import (
	"go/ast"
	"strings"
)

// Without types a call is known by its name: a method of this name on anything,
// or a function of an imported package. A wrong guess costs a delay.
var (
	syncMethods = set(`Lock Unlock RLock RUnlock TryLock TryRLock Wait Signal Broadcast Done Go
		Load Store Add Swap CompareAndSwap AtomicLoad AtomicStore Unmap
		Read Write ReadFrom WriteTo ReadString ReadBytes ReadByte ReadRune ReadLine WriteString WriteByte Flush Scan Sync
		Encode Decode Send Recv Accept Dial Close CloseRead CloseWrite Call
		Start Run Output CombinedOutput Kill Release Put Get Push Pop Acquire`)

	syncFunctions = map[string]map[string]bool{
		"os": set(`Stat Lstat Open Create OpenFile Rename Remove RemoveAll Mkdir MkdirAll MkdirTemp CreateTemp
			Link Symlink Truncate ReadFile WriteFile ReadDir StartProcess Pipe`),
		"syscall":               kernelCalls,
		"golang.org/x/sys/unix": kernelCalls,
		"io":                    set(`Copy CopyN CopyBuffer ReadAll ReadFull ReadAtLeast WriteString`),
		"fmt":                   set(`Fprint Fprintf Fprintln Fscan Fscanf Fscanln`),
		"encoding/binary":       set(`Read Write`),
		"net":                   set(`Dial DialTimeout DialUnix DialTCP Listen ListenUnix ListenTCP`),
		"net/http":              set(`Get Head Post`),
	}

	kernelCalls = set(`Flock FcntlFlock Open Openat Read Write Pread Pwrite Readv Writev Sendmsg SendmsgN Recvmsg Recvfrom Sendto
		Kill Wait4 Waitid Futex Syscall Syscall6 RawSyscall RawSyscall6 Rename Unlink Mkdir Select Poll Ppoll EpollWait
		Close Dup Dup2 Dup3 Pipe Pipe2 Mmap Munmap Msync Accept Accept4 Connect`)

	// atomicFunctions begin the functions of sync/atomic, whose names go on
	// with a type.
	atomicFunctions = strings.Fields("Add And Or Load Store Swap CompareAndSwap")
)

// synchronises tells whether the outcome of a call may depend on what another
// goroutine or process did before.
func (w *writer) synchronises(call *ast.CallExpr) bool {
	if id, ok := call.Fun.(*ast.Ident); ok {
		return id.Name == "close" && len(call.Args) == 1
	}
	path, name, ok := w.called(call)
	if !ok {
		return false
	}
	if path == "" {
		return syncMethods[name]
	}
	if path == "sync/atomic" {
		for _, prefix := range atomicFunctions {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
	}
	return syncFunctions[path][name]
}

// What a call opens, as package perturb wants to know it.
const (
	opensNothing = "-"
	opensAny     = ""
	opensMapping = "map"
)

var openFunctions = map[string]map[string]string{
	"os": {
		"Pipe": "pipe:", "Open": "/", "OpenFile": "/", "Create": "/", "CreateTemp": "/", "StartProcess": opensAny,
	},
	"net": {
		"Listen": "socket:", "ListenUnix": "socket:", "ListenTCP": "socket:", "ListenPacket": "socket:", "ListenUnixgram": "socket:",
		"Dial": "socket:", "DialTimeout": "socket:", "DialUnix": "socket:", "DialTCP": "socket:",
		"FileConn": "socket:", "FileListener": "socket:",
	},
	"syscall":               kernelOpens,
	"golang.org/x/sys/unix": kernelOpens,
	"prokata/checker/shm":   {"Map": opensMapping},
}

var kernelOpens = map[string]string{
	"Socketpair": "socket:", "Socket": "socket:", "Pipe": "pipe:", "Pipe2": "pipe:", "Open": "/", "Openat": "/",
	"MemfdCreate": "/", "Mmap": opensMapping, "Dup": opensAny, "Dup2": opensAny, "Dup3": opensAny, "Eventfd": "anon_inode:",
	"EpollCreate1": "anon_inode:", "PidfdOpen": opensAny, "ForkExec": opensAny, "SignalfdCreate": "anon_inode:", "TimerfdCreate": "anon_inode:",
}

// openMethods have no arguments: methods of exec.Cmd, *os.File and the
// connections of package net.
var openMethods = map[string]string{
	"StdinPipe": "pipe:", "StdoutPipe": "pipe:", "StderrPipe": "pipe:", "Start": opensAny, "File": opensAny,
}

// starts tells a call that starts a child, so that the child is numbered.
func (w *writer) starts(call *ast.CallExpr) bool {
	path, name, ok := w.called(call)
	switch {
	case !ok:
		return false
	case path == "":
		return len(call.Args) == 0 && (name == "Start" || name == "Run" || name == "Output" || name == "CombinedOutput")
	}
	return name == "StartProcess" || name == "ForkExec"
}

// opens returns what kind of thing a call leaves open.
func (w *writer) opens(call *ast.CallExpr) string {
	path, name, ok := w.called(call)
	if !ok {
		return opensNothing
	}
	kind, ok := openFunctions[path][name]
	if path == "" && len(call.Args) == 0 {
		kind, ok = openMethods[name]
	}
	if !ok {
		return opensNothing
	}
	return kind
}

// called returns the function that a call names: its package's path, which is
// empty for a method, and its name.
func (w *writer) called(call *ast.CallExpr) (path, name string, ok bool) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", "", false
	}
	if id, ok := sel.X.(*ast.Ident); ok {
		// A variable may shadow a package; then this guesses wrong.
		path = w.imports[id.Name]
	}
	return path, sel.Sel.Name, true
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
