package harness

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/tree/wire"
)

// supervisor is the channel to the supervisor in the process that runs the
// tests, and nil in all others.
var supervisor *channel

// The harness prepares a watched process before any code under test runs: Go
// initializes a package after those that it imports, and each kata's package
// imports this one (in its harness_test.go).
func init() {
	if os.Getenv(wire.RoleEnv) == wire.Calibrate {
		os.Exit(0)
	}
	if os.Getenv(wire.RoleEnv) == wire.Loopback {
		if ownNetwork() != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	if os.Getenv(wire.RoleEnv) != "tests" {
		inherit()
	}
	dir := os.Getenv(wire.RunEnv)
	if dir == "" {
		return
	}
	recordCrash(dir)
	if os.Getenv(wire.RoleEnv) != "tests" {
		announce(dir)
		return
	}
	os.Unsetenv(wire.RoleEnv)
	ownTest = os.Getenv(wire.OwnEnv)
	os.Unsetenv(wire.OwnEnv)
	ownSharedMemory()
	_ = ownNetwork() // the supervisor has seen it work
	// What the tests leak must stay to be seen: without this, the collector
	// would close a forgotten file now and then. The bound keeps memory in check.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(256 << 20)
	// The runtime's network poller opens descriptors of its own at its first
	// use; that must not happen between two looks at the descriptors.
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	for _, fd := range []int{wire.EventFD, wire.ReplyFD} {
		unix.CloseOnExec(fd)
	}
	said, heard, err := keys()
	if err != nil {
		fmt.Fprintln(os.Stderr, "the harness has lost its supervisor:", err)
		os.Exit(2)
	}
	if !slices.ContainsFunc(os.Args[1:], func(arg string) bool { return !strings.HasPrefix(arg, "-test.") }) {
		// Once read, they are no longer what os.Args makes of them.
		testing.Init()
		flag.Parse()
	}
	supervisor = &channel{said: wire.NewSealer(said), heard: wire.NewSealer(heard), replies: bufio.NewReader(descriptor(wire.ReplyFD))}
}

// keys reads the channel's key and makes of it those of the two directions. They lie in
// memory of their own, which no dump of the heap or of the process holds, nor any child.
func keys() (said, heard []byte, err error) {
	page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, nil, err
	}
	hide(page)
	key, said, heard := page[:wire.KeySize], page[wire.KeySize:2*wire.KeySize], page[2*wire.KeySize:3*wire.KeySize]
	for n := 0; n < len(key); {
		m, err := descriptor(wire.ReplyFD).Read(key[n:])
		if err != nil {
			return nil, nil, err
		}
		n += m
	}
	wire.Split(key, said, heard)
	clear(key)
	return said, heard, nil
}

// recordCrash lets a panic, and the goroutines that a SIGQUIT asks for, be
// written to a file of this process, also when its standard error goes nowhere.
func recordCrash(dir string) {
	path := filepath.Join(dir, wire.CrashDir, strconv.Itoa(os.Getpid()))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return // the folder is gone: the supervisor has ended the run
	}
	defer f.Close()
	_ = debug.SetCrashOutput(f, debug.CrashOptions{}) // it fails only for what is no open file
}

// announce tells the supervisor of a child that may end before anybody looks.
func announce(dir string) {
	line := fmt.Sprintf("{\"pid\":%d,\"parent\":%d,\"name\":%q}\n", os.Getpid(), os.Getppid(), os.Args[0])
	present(dir, line)
	f, err := os.OpenFile(filepath.Join(dir, wire.ChildFile), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return
	}
	defer f.Close()
	// One short write with O_APPEND is atomic between processes. Siblings read it, as
	// text (startTogether); nobody is counted by it.
	_, _ = f.WriteString(line)
}

// descriptor reads and writes one file descriptor with plain system calls, so
// that the harness holds no file that the runtime's poller knows of.
type descriptor int

func (d descriptor) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(int(d), b)
		if err == unix.EINTR {
			continue
		}
		if n == 0 && err == nil {
			return 0, os.ErrClosed
		}
		return max(n, 0), err
	}
}

func (d descriptor) Write(b []byte) (int, error) {
	for done := 0; done < len(b); {
		n, err := unix.Write(int(d), b[done:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return done, err
		}
		done += n
	}
	return len(b), nil
}
