//go:build linux

package observe

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	worldEnv    = "PROKATA_CORPUS_WORLD"    // what the tree has for itself, as flags of clone(2)
	loopbackEnv = "PROKATA_CORPUS_LOOPBACK" // the tree's first process brings its network up
	folderEnv   = "PROKATA_CORPUS_FOLDER"   // the tree's private folder
)

// supervised is the supervisor of a row's tree, in the world that the row wants, and
// what is inside of that.
func supervised(t testing.TB, r row, args []string) (*exec.Cmd, Inside) {
	t.Helper()
	own := uint64(unix.CLONE_NEWNET | unix.CLONE_NEWIPC)
	if r.open || r.outside != nil {
		own = 0
	}
	if r.pids {
		own |= unix.CLONE_NEWPID
	}
	folder, err := os.MkdirTemp("", "prokata-corpus-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if folder, err = filepath.EvalSymlinks(folder); err != nil {
		t.Fatal(err)
	}
	cmd := command(append([]string{"corpus-root", r.name + "/top"}, args...)...)
	cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", worldEnv, own), folderEnv+"="+folder)
	return cmd, Inside{Folder: folder}
}

// inFolder is a path in the tree's private folder.
func inFolder(name string) string { return filepath.Join(os.Getenv(folderEnv), name) }

// world has a process started with a world of its own.
func world(flags uint64) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: uintptr(flags)}
	if flags != 0 && os.Geteuid() != 0 {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
		attr.AmbientCaps = []uintptr{unix.CAP_NET_ADMIN}
	}
	return attr
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}
