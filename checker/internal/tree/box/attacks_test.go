//go:build linux

package box

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// attacks are what code under test tries. An attack that gets what it wants returns nil.
var attacks = map[string]func(argument string) error{
	"nothing": func(string) error { return errors.New("it does nothing") },
	"read a file": func(path string) error {
		_, err := os.ReadFile(path)
		return err
	},
	"write a file": func(path string) error { return os.WriteFile(path, []byte("x"), 0o600) },
	"kill a process of the same user": func(pid string) error {
		n, _ := strconv.Atoi(pid)
		return unix.Kill(n, unix.SIGKILL)
	},
	"signal the supervisor":  func(string) error { return unix.Kill(os.Getppid(), 0) },
	"talk to the supervisor": func(string) error { return dial("unix", supervisorSocket) },
	"lower the supervisor's limits": func(string) error {
		l := unix.Rlimit{Cur: 64, Max: 64}
		return unix.Prlimit(os.Getppid(), unix.RLIMIT_NOFILE, &l, nil)
	},
	"debug a process": func(string) error {
		child := exec.Command("/usr/bin/sleep", "60")
		if err := child.Start(); err != nil {
			return err
		}
		defer func() { _ = child.Process.Kill() }()
		return unix.PtraceAttach(child.Process.Pid)
	},
	"read a process's memory": func(string) error {
		var word [8]byte
		local := unix.Iovec{Base: &word[0], Len: 8}
		_, err := unix.ProcessVMReadv(os.Getpid(), []unix.Iovec{local}, []unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&word)), Len: 8}}, 0)
		return err
	},
	"be root in a namespace": func(string) error {
		child := exec.Command("/usr/bin/sleep", "0")
		child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS}
		return child.Run()
	},
	"look at the keys": func(string) error {
		_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, true)
		return err
	},
	"hand the kernel a ring": func(string) error {
		_, _, errno := unix.RawSyscall(unix.SYS_IO_URING_SETUP, 1, 0, 0)
		if errno == unix.EFAULT { // it has looked at what it was given
			return nil
		}
		return errno
	},
	"make a device": func(string) error {
		defer os.Remove("/tmp/prokata-device")
		return unix.Mknod("/tmp/prokata-device", unix.S_IFCHR, 0)
	},
	"write into its own code": func(string) error {
		f, err := os.OpenFile("/proc/self/mem", os.O_WRONLY, 0)
		if err == nil {
			f.Close()
		}
		return err
	},
	"fill /dev/shm": func(string) error { return fill("/dev/shm/prokata-fill", 24) },
	"fill /tmp":     func(string) error { return fill("/tmp/prokata-fill", 24) },
	"a long file":   func(string) error { return fill("/tmp/prokata-fill", 300) },
	"memory that no process has": func(string) error {
		fd, err := unix.MemfdCreate("eaten", 0)
		if err != nil {
			return err
		}
		return fill("/proc/self/fd/"+strconv.Itoa(fd), 200)
	},
	"a fork bomb": func(string) error {
		for range 60 {
			child := exec.Command("/usr/bin/sleep", "60")
			if err := child.Start(); err != nil {
				return err
			}
			defer func() { _, _ = child.Process.Kill(), child.Wait() }()
		}
		return nil
	},
	"call out":        func(addr string) error { return dial("tcp", addr) },
	"call a stranger": func(name string) error { return dial("unix", name) },
	"wait for ever":   func(seconds string) error { return exec.Command("/usr/bin/sleep", seconds).Run() },
	"leave a daemon": func(seconds string) error {
		child := exec.Command("/usr/bin/sleep", seconds)
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return child.Start()
	},
	"leave shared memory": func(key string) error {
		n, _ := strconv.Atoi(key)
		_, err := unix.SysvShmGet(n, 4096, unix.IPC_CREAT|0o666)
		return err
	},
}

func dial(network, addr string) error {
	conn, err := net.DialTimeout(network, addr, time.Minute)
	if err == nil {
		conn.Close()
	}
	return err
}

// fill writes so many MiB, and takes them away again.
func fill(path string, mib int) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(path)
	defer f.Close()
	for b := make([]byte, 1<<20); mib > 0; mib-- {
		if _, err := f.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// TestWalls: no attack gets what it wants, and each does once the walls that hold it off
// are taken away: it is they that do.
func TestWalls(t *testing.T) {
	need(t)
	here, err := os.Getwd()
	require.NoError(t, err)
	secret := filepath.Join(here, "attacks_test.go")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	name := fmt.Sprintf("@prokata-stranger-%d", os.Getpid())
	abstract, err := net.Listen("unix", name)
	require.NoError(t, err)
	defer abstract.Close()
	key := 0x70726f00 + os.Getpid()%256
	lacks := lacking(t)
	// Whom it may kill: what the user runs outside, if the code under test has that user's ID.
	kin := []string{pidNamespace, Root, Landlock, Scopes}
	if os.Geteuid() != 0 {
		kin = append(kin, UserID)
	}
	for _, row := range []struct {
		attack, argument string
		walls            []string                // that hold it off
		after            func(t *testing.T) bool // whether it got what it wanted, where that is seen later
	}{
		{attack: "read a file", argument: secret, walls: []string{Root, Landlock, Scopes}},
		{attack: "write a file", argument: open777(t, here), walls: []string{Root, Landlock, Scopes}},
		{attack: "kill a process of the same user", argument: victim(t), walls: kin},
		{attack: "signal the supervisor", walls: []string{UserID, Scopes}},
		{attack: "talk to the supervisor", walls: []string{Scopes}},
		{attack: "lower the supervisor's limits", walls: []string{UserID, Seccomp}},
		{attack: "debug a process", walls: []string{Seccomp}},
		{attack: "read a process's memory", walls: []string{Seccomp}},
		{attack: "be root in a namespace", walls: []string{Seccomp, Landlock, Scopes}},
		{attack: "look at the keys", walls: []string{Seccomp}},
		{attack: "hand the kernel a ring", walls: []string{Seccomp}},
		{attack: "make a device", walls: []string{Landlock, Scopes}},
		{attack: "write into its own code", walls: []string{Root, Landlock, Scopes}},
		{attack: "fill /dev/shm", walls: []string{Root}},
		{attack: "fill /tmp", walls: []string{Root}},
		{attack: "a long file", walls: []string{Limited, Root, Memory}},
		{attack: "memory that no process has", walls: []string{Memory}},
		{attack: "a fork bomb", walls: []string{Tasks}},
		{attack: "call out", argument: l.Addr().String(), walls: []string{networkNamespace}},
		{attack: "call a stranger", argument: name, walls: []string{networkNamespace, Scopes}},
		{attack: "leave a daemon", argument: "977", walls: []string{pidNamespace, Root}, after: func(t *testing.T) bool { return daemon(t, "977") }},
		{attack: "leave shared memory", argument: strconv.Itoa(key), walls: []string{ipcNamespace}, after: func(*testing.T) bool { return segment(key) }},
	} {
		t.Run(row.attack, func(t *testing.T) {
			if !slices.ContainsFunc(row.walls, func(wall string) bool { return !slices.Contains(lacks, wall) }) {
				t.Skipf("not checked here: there is no %s", strings.Join(row.walls, ", no "))
			}
			wanted := func(without ...string) (bool, string) {
				out := run(t, row.attack, row.argument, without...)
				if row.after != nil {
					assert.Contains(t, out, escaped)
					return row.after(t), out
				}
				return strings.Contains(out, escaped), out
			}
			got, out := wanted()
			assert.False(t, got, out)
			assert.NotContains(t, out, "supervisor ended: signal")
			got, out = wanted(row.walls...)
			assert.True(t, got, "without %v it is held off too: %s", row.walls, out)
		})
	}
}

// open777 is a file in a folder that everybody may write to.
func open777(t *testing.T, here string) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "prokata-open-")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o777))
	return filepath.Join(dir, "cache")
}

// victim starts a process of the user as whom the code under test runs.
func victim(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("/usr/bin/sleep", "600")
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
	}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	return strconv.Itoa(cmd.Process.Pid)
}

// daemon tells whether the daemon of an attack is there, and ends it.
func daemon(t *testing.T, seconds string) (there bool) {
	t.Helper()
	for _, pid := range running(seconds) {
		n, _ := strconv.Atoi(pid)
		there = true
		assert.NoError(t, unix.Kill(n, unix.SIGKILL))
	}
	return there
}

// segment tells whether there is shared memory of that key, and takes it away.
func segment(key int) bool {
	id, err := unix.SysvShmGet(key, 4096, 0)
	if err != nil {
		return false
	}
	_, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	return true
}
