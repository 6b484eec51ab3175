package run

import (
	"os"
	"os/exec"
	"syscall"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/observe"
	"prokata/checker/internal/tree/place"
)

// A Box is what a sandbox in which the supervisor lives gives it for the tests' tree. Its
// namespaces are the tree's alone, so the tree gets none of its own.
type Box struct {
	Enter         func(start func() error) error // calls start so that what it starts has given up what code under test must not have
	Who           *syscall.Credential            // as whom the tree runs; nil: as the supervisor
	Memory, Tasks string                         // folders of the control groups that bound the tree; empty: none
}

// start starts a process of the tree, or one that runs the tests' program.
func (b *Box) start(cmd *exec.Cmd) error {
	if b == nil {
		return place.Start(cmd.Start)
	}
	if b.Who != nil {
		if cmd.SysProcAttr == nil {
			cmd.SysProcAttr = &syscall.SysProcAttr{}
		}
		cmd.SysProcAttr.Credential = b.Who
	}
	return b.Enter(func() error { return place.Start(cmd.Start) })
}

// user is the one as whom the tree runs.
func (b *Box) user() int {
	if b == nil || b.Who == nil {
		return os.Geteuid()
	}
	return int(b.Who.Uid)
}

// give makes a file or a folder of the run the tree's to write.
func (b *Box) give(path string) error {
	if b == nil || b.Who == nil {
		return nil
	}
	return os.Chown(path, int(b.Who.Uid), int(b.Who.Gid))
}

// held is the memory that the tree holds beside its resident sets, where no control group
// counts it.
func (b *Box) held(processes []evidence.Process) int64 {
	if b == nil || b.Memory != "" {
		return 0
	}
	pids := make([]int, len(processes))
	for i, p := range processes {
		pids[i] = p.PID
	}
	return observe.HeldMemory(pids, "/tmp", shmDir)
}
