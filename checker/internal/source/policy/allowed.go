package policy

import (
	"go/ast"
	"go/token"
	"strings"
)

// Of who is not trusted, only what is listed here is let in: the packages, and of those
// that reach the system the functions, types and variables that an answer to a kata may
// need. Whatever else there is, or will be, is refused without being known. What the
// values of these packages can do needs no list, since nobody comes by a value but through
// a name; so package reflect, which could, is as good as not there.
//
// Names are resolved by their scopes. Types are not asked for: go/types takes time and
// memory without bound for sources of thirty lines (strings and structs that double), and
// what looks at hostile sources has to be linear.

// wholly are packages of which everything is allowed, and with a "/" at the end all below.
var wholly = strings.Fields(`bufio bytes cmp container/ context crypto/md5 crypto/rand crypto/sha1 crypto/sha256 crypto/sha512
	encoding encoding/ errors fmt hash hash/ html io io/fs io/ioutil iter log log/slog maps math math/ net net/http net/netip net/rpc
	net/rpc/jsonrpc net/textproto net/url os/exec path path/filepath regexp slices sort strconv strings structs sync sync/atomic
	text/scanner text/tabwriter text/template time unicode unicode/ unique
	github.com/moby/sys/reexec golang.org/x/sync/ prokata/checker/shm prokata/checker/todo`)

// partly are packages of which the names listed are allowed. Of the kernel's ("kernel",
// which stands for syscall and unix) names without small letters are, too: they are
// numbers, and what can be done with a number is the functions' matter.
var partly = map[string]string{
	"reflect": "DeepEqual TypeOf TypeFor Type Kind",
	"runtime": "AddCleanup Caller Callers CallersFrames Error Frame Frames GC GOARCH GOMAXPROCS GOOS Gosched KeepAlive LockOSThread MemStats " +
		"NumCPU NumGoroutine ReadMemStats SetFinalizer Stack UnlockOSThread Version",
	"runtime/debug": "FreeOSMemory PrintStack ReadBuildInfo Stack",
	"os/signal":     "Ignore Ignored Notify NotifyContext Reset Stop",
	"os": "Args Chdir Chmod Chtimes Create CreateTemp DevNull DirEntry DirFS Environ ErrClosed ErrDeadlineExceeded ErrExist ErrInvalid ErrNoDeadline " +
		"ErrNotExist ErrPermission ErrProcessDone Executable Exit Expand ExpandEnv File FileInfo FileMode FindProcess Getegid Getenv Geteuid Getgid " +
		"Getpagesize Getpgrp Getpid Getppid Getuid Getwd Hostname Interrupt IsExist IsNotExist IsPermission IsTimeout Kill Link LinkError LookupEnv Lstat " +
		"Mkdir MkdirAll MkdirTemp ModePerm ModeNamedPipe ModeSocket ModeSymlink NewFile NewSyscallError O_APPEND O_CREATE O_EXCL O_RDONLY O_RDWR " +
		"O_SYNC O_TRUNC O_WRONLY Open OpenFile OpenRoot PathError PathSeparator Pipe ProcAttr Process ProcessState ReadDir ReadFile Readlink Remove " +
		"RemoveAll Rename Root SEEK_SET SameFile Setenv Signal StartProcess Stat Stderr Stdin Stdout Symlink SyscallError TempDir Truncate Unsetenv " +
		"UserCacheDir UserHomeDir WriteFile",
	"kernel": "Accept Accept4 AcceptUnix Access Bind BytePtrFromString ByteSliceFromString ClockGettime Close CloseOnExec CmsgLen CmsgSpace Connect " +
		"CopyFileRange Dup Dup2 Dup3 EpollCreate EpollCreate1 EpollCtl EpollEvent EpollWait Errno ErrnoName Eventfd Exit Faccessat Fallocate FcntlFlock FcntlInt " +
		"FdSet Flock Flock_t ForkExec ForkLock Fstat Fsync Ftruncate Getcwd Getegid Geteuid Getgid Getpagesize Getpeername Getpgid Getpgrp Getpid Getppid " +
		"Getrlimit Getrusage Getsid Getsockname GetsockoptInt GetsockoptUcred Gettid Gettimeofday Getuid Iovec Kill Linger Listen Lseek Lstat MemfdCreate " +
		"Mkdir Mkdirat Mkfifo Mmap Msync Munmap Nanosleep NsecToTimespec NsecToTimeval Open Openat PidfdOpen PidfdSendSignal Pipe Pipe2 Poll PollFd Ppoll " +
		"ParseSocketControlMessage ParseUnixCredentials ParseUnixRights ProcAttr Prctl Pread Pselect Pwrite Read Readlink Readv Recvfrom Recvmsg RecvmsgBuffers " +
		"Rename Rlimit Rmdir Rusage Select Sendfile Sendmsg SendmsgBuffers SendmsgN Sendto SetNonblock Setpgid Setsid SetsockoptInt SetsockoptTimeval " +
		"Shutdown Signal SignalName SignalNum Signalfd SignalfdSiginfo Siginfo Sigset_t Sockaddr SockaddrInet4 SockaddrInet6 SockaddrUnix Socket " +
		"SocketControlMessage Socketpair Splice Stat Stat_t StartProcess Stderr Stdin Stdout SysProcAttr SysProcIDMap Tee TimerfdCreate TimerfdSettime " +
		"ItimerSpec Time Times Timespec TimespecToNsec Timeval Tms Ucred Umask Uname UnixCredentials UnixRights Unlink Unlinkat Utsname Wait4 Waitid " +
		"WaitStatus Write Writev",
}

// attributesOf are the fields of SysProcAttr that a kata may set.
var attributesOf = strings.Fields("Setpgid Pgid Pdeathsig Setsid")

// prctls are those that a kata may ask for, by the constants of package unix.
var prctls = []string{"PR_SET_PDEATHSIG", "PR_GET_", "PR_SET_NAME"}

// admitted tells whether a package is one of those that may be imported.
func admitted(path string) bool {
	_, some := partly[kernel(path)]
	return some || all(path)
}

func all(path string) bool {
	for _, p := range wholly {
		if path == p || strings.HasSuffix(p, "/") && strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

// kernel is the path of a package, and the same for the two that are the kernel's.
func kernel(path string) string {
	if path == syscallPath || path == unixPath {
		return "kernel"
	}
	return path
}

var names = func() map[string]map[string]bool {
	m := map[string]map[string]bool{}
	for path, list := range partly {
		m[path] = map[string]bool{}
		for name := range strings.FieldsSeq(list) {
			m[path][name] = true
		}
	}
	return m
}()

// use looks at one name of another package, with what stands around it.
func (c *checker) use(f *source, n *ast.SelectorExpr, around []ast.Node) {
	path, name, ok := f.refers(n)
	if !ok {
		if n.Sel.Name == "SysProcAttr" && !keptNamed(n, around) {
			c.report(f, n.Pos(), only, "process", "a SysProcAttr is handed on: what is set in it must be seen where it is set")
		}
		return
	}
	path = kernel(path)
	number := path == "kernel" && strings.ToUpper(name) == name && !strings.HasPrefix(name, "SYS_") && !strings.HasPrefix(name, "PR_")
	if list, some := names[path]; some && !list[name] && !number && !strings.HasPrefix(name, "PR_") {
		if u, told := lookUp(path, name); !told || u.degree == noted || u.degree == suspect {
			c.report(f, n.Pos(), only, "use", "%s.%s: it is not among what the katas need", path, name)
		}
	}
	parent := up(around, 1)
	switch {
	case path == "os" && name == "Args" && !argsRead(n, around):
		c.report(f, n.Pos(), only, "flags", "os.Args is handed on: it holds the flags of the tests that run; read what you need by its index")
	case path == "kernel" && name == "SysProcAttr" && !literalOf(n, parent):
		c.report(f, n.Pos(), only, "process", "a SysProcAttr must be a literal with the names of its fields")
	case path == "kernel" && name == "Prctl":
		if call, ok := parent.(*ast.CallExpr); !ok || call.Fun != ast.Expr(n) || len(call.Args) == 0 || !harmlessPrctl(f, call.Args[0]) {
			c.report(f, n.Pos(), only, "kernel", "Prctl may be called with PR_SET_PDEATHSIG, PR_SET_NAME and PR_GET_…, by their names")
		}
	}
}

func up(around []ast.Node, n int) ast.Node {
	if len(around) < n {
		return nil
	}
	return around[len(around)-n]
}

func harmlessPrctl(f *source, arg ast.Expr) bool {
	path, name, ok := f.refers(arg)
	if !ok || path != unixPath {
		return false
	}
	for _, p := range prctls {
		if name == p || strings.HasSuffix(p, "_") && strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// argsRead tells os.Args[i], len(os.Args), range os.Args and a part of it, os.Args[i:],
// which is a list of its own to who reads it. (The flags have been read by the time at
// which a program could write to it.)
func argsRead(n ast.Expr, around []ast.Node) bool {
	switch p := up(around, 1).(type) {
	case *ast.SliceExpr:
		call, ok := up(around, 2).(*ast.CallExpr)
		return p.X == n && !(ok && len(call.Args) > 0 && call.Args[0] == ast.Expr(p) && named(call.Fun, "copy"))
	case *ast.IndexExpr:
		return p.X == n // usesOf sees whether it is written to
	case *ast.RangeStmt:
		return p.X == n
	case *ast.CallExpr:
		return named(p.Fun, "len")
	}
	return false
}

// named tells the predeclared function of that name.
func named(x ast.Expr, name string) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == name && id.Obj == nil
}

// literalOf tells a composite literal of that type, with named fields that are allowed.
func literalOf(n ast.Expr, parent ast.Node) bool {
	lit, ok := parent.(*ast.CompositeLit)
	if !ok || lit.Type != n {
		return false
	}
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return false
		}
		if key, ok := kv.Key.(*ast.Ident); !ok || !has(attributesOf, key.Name) {
			return false
		}
	}
	return true
}

// keptNamed tells a field SysProcAttr that is assigned to, compared with nil or of which a
// field is selected that is allowed.
func keptNamed(n *ast.SelectorExpr, around []ast.Node) bool {
	switch p := up(around, 1).(type) {
	case *ast.AssignStmt:
		for _, to := range p.Lhs {
			if to == ast.Expr(n) {
				return true
			}
		}
	case *ast.BinaryExpr:
		return p.Op == token.EQL || p.Op == token.NEQ
	case *ast.SelectorExpr:
		return has(attributesOf, p.Sel.Name)
	}
	return false
}

func has(all []string, name string) bool {
	for _, s := range all {
		if s == name {
			return true
		}
	}
	return false
}
