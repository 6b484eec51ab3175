package run

import (
	"os"
	"os/exec"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/tree/wire"
)

// A world is what the test process has for itself alone, as flags of clone(2).
type world uintptr

const (
	// A /dev/shm of its own: what appears in the system's might be anybody's.
	ownMounts world = unix.CLONE_NEWNS
	// Ports, abstract names of sockets, keys of semaphores and queues of its own: by
	// those no other program can come, so who waits for one waits for the tree alone.
	ownAddresses world = unix.CLONE_NEWNET | unix.CLONE_NEWIPC
)

// worlds are those that the test process may be given, the best first. Where this
// user, or the container, may not have one, the start fails, and the next is tried.
func worlds(job Job) []world {
	if job.Box != nil {
		return []world{0} // the box is one
	}
	all := []world{ownMounts | ownAddresses, ownMounts, 0}
	if os.Geteuid() != 0 && !loopback(job.Binary) {
		return all[1:]
	}
	return all
}

// loopback reports whether a test process can use a network of its own: its loopback
// is down at first, and some systems (AppArmor's rule in Ubuntu 24.04) give an ordinary
// user the network, but not the right to bring it up.
var loopback = func() func(string) bool {
	var once sync.Once
	usable := false
	return func(binary string) bool {
		once.Do(func() {
			cmd := exec.Command(binary)
			cmd.Env = environment(map[string]string{wire.RoleEnv: wire.Loopback, "GORACE": "atexit_sleep_ms=0"}, Job{}.keeps)
			cmd.SysProcAttr = ownSession(ownMounts | ownAddresses)
			cmd.WaitDelay = time.Second
			usable = cmd.Run() == nil
		})
		return usable
	}
}()
