package place

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// openFiles is what the soft limit of open files is raised to, where the hard one
// allows it. Go programs raise it by themselves, others have what they get.
const openFiles = 4096

// Prepare raises the soft limits of this process, which all that it starts inherits,
// and sees to it that it can use the files that it makes.
func Prepare() {
	for _, what := range []int{unix.RLIMIT_AS, unix.RLIMIT_DATA, unix.RLIMIT_FSIZE, unix.RLIMIT_CPU, unix.RLIMIT_NPROC, unix.RLIMIT_NOFILE, unix.RLIMIT_STACK} {
		var l unix.Rlimit
		if unix.Getrlimit(what, &l) != nil {
			continue
		}
		want := l.Max
		switch what {
		case unix.RLIMIT_NOFILE:
			want = min(l.Max, max(l.Cur, openFiles))
		case unix.RLIMIT_STACK: // with none at all the kernel lays out memory in another way
			want = min(l.Max, max(l.Cur, 8<<20))
		}
		if l.Cur < want {
			l.Cur = want
			_ = unix.Setrlimit(what, &l) // where it may not be, Look says so
		}
	}
	old := syscall.Umask(0o077)
	syscall.Umask(old &^ 0o700)
}

// Umask gives the tests' tree the mask that most shells have, whatever this one has:
// a program's files have the same permissions everywhere.
func Umask() { syscall.Umask(0o022) }

// Start calls start, which starts a process, in such a way that the process blocks and
// ignores no signal, as a shell would start it. What a parent of this process has
// blocked or ignored (nohup, a job of cron, process 1 of a container) would else be
// blocked and ignored in the whole tree, and a child that is asked to end would not.
func Start(start func() error) error {
	heed()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var none, old unix.Sigset_t
	if unix.PthreadSigmask(unix.SIG_SETMASK, &none, &old) == nil {
		defer func() { _ = unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil) }()
	}
	return start()
}

// heed ends the ignoring of signals in this process, and so in those that it starts:
// a signal that is caught here is not caught there, and does there what it always does.
func heed() {
	for n := syscall.Signal(1); n < 65; n++ {
		if !ignored(n) {
			continue
		}
		switch n {
		case syscall.SIGHUP, syscall.SIGINT: // package os/signal leaves these two as they were
			signal.Notify(make(chan os.Signal, 1), n)
		default:
			standard(n)
		}
	}
}

// An action is the kernel's struct sigaction, larger on no architecture.
type action struct {
	handler uintptr
	rest    [7]uint64
}

const (
	ignore  = 1 // SIG_IGN
	setSize = 8 // bytes of a signal set
)

func ignored(n syscall.Signal) bool {
	var a action
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(n), 0, uintptr(unsafe.Pointer(&a)), setSize, 0, 0)
	return errno == 0 && a.handler == ignore
}

func standard(n syscall.Signal) {
	var a action
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(n), uintptr(unsafe.Pointer(&a)), 0, setSize, 0, 0)
}
