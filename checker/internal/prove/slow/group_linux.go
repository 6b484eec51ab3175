package slow

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A group is a control group of our own, of version 1 or 2.
type group struct{ dir string }

// newGroup makes one where file can be written, and writes value into it.
func newGroup(parents []string, file, value string) (*group, error) {
	for _, parent := range parents {
		// What an earlier one left that was killed is removed if nothing is in it.
		old, _ := filepath.Glob(filepath.Join(parent, "prokata-slow-*"))
		for _, dir := range old {
			_ = unix.Rmdir(dir)
		}
		dir, err := os.MkdirTemp(parent, "prokata-slow-")
		if err != nil {
			continue
		}
		if os.WriteFile(filepath.Join(dir, file), []byte(value), 0) == nil {
			return &group{dir}, nil
		}
		_ = unix.Rmdir(dir)
	}
	return nil, fmt.Errorf("%w: no control group takes %s", errNotHere, file)
}

// newQuota makes a group with so much of a core, in each tenth of a second.
func newQuota(cores float64) (*group, error) {
	const period = 100_000 // microseconds
	n := strconv.Itoa(int(cores * period))
	if g, err := newGroup([]string{"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"}, "cpu.cfs_quota_us", n); err == nil {
		return g, nil
	}
	return newGroup([]string{"/sys/fs/cgroup"}, "cpu.max", fmt.Sprintf("%s %d", n, period))
}

// newMemory makes a group with so many bytes.
func newMemory(bytes int64) (*group, error) {
	n := strconv.FormatInt(bytes, 10)
	if g, err := newGroup([]string{"/sys/fs/cgroup/memory"}, "memory.limit_in_bytes", n); err == nil {
		return g, nil
	}
	return newGroup([]string{"/sys/fs/cgroup"}, "memory.max", n)
}

// remove ends what is left in the group and takes it away.
func (g *group) remove() {
	for wait := time.Millisecond; unix.Rmdir(g.dir) == unix.EBUSY && wait < 10*time.Second; wait *= 2 {
		b, _ := os.ReadFile(filepath.Join(g.dir, "cgroup.procs"))
		for _, word := range strings.Fields(string(b)) {
			if pid, _ := strconv.Atoi(word); pid > 1 {
				_ = unix.Kill(pid, unix.SIGKILL) // it is in a group that we have made
			}
		}
		time.Sleep(wait)
	}
}

// Join puts this process into a group.
func Join(dir string) error {
	return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0)
}

// startAll starts so many processes that end with this one, and returns what ends them.
func startAll(command []string, n int) (end func(), err error) {
	var all []*exec.Cmd
	end = func() {
		for _, cmd := range all {
			_ = cmd.Process.Kill()
		}
		for _, cmd := range all {
			_ = cmd.Wait()
		}
	}
	// Each reads its standard input, which ends when this process does, however it ends.
	for range n {
		cmd := exec.Command(command[0], command[1:]...)
		if _, err := cmd.StdinPipe(); err != nil {
			end()
			return nil, err
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for this one to hear
		if err := cmd.Start(); err != nil {
			end()
			return nil, err
		}
		all = append(all, cmd)
	}
	return end, nil
}

// Hog takes a processor until its standard input ends.
func Hog() {
	endWithInput()
	x := uint64(1)
	for {
		x = x*6364136223846793005 + 1442695040888963407
	}
}

// Read reads a file of so many bytes again and again until its standard input ends: a
// file of holes, which takes memory and no disk.
func Read(bytes int64) error {
	endWithInput()
	f, err := os.CreateTemp("", "prokata-slow-")
	if err != nil {
		return err
	}
	defer f.Close()
	if err := os.Remove(f.Name()); err != nil {
		return err
	}
	if err := f.Truncate(bytes); err != nil {
		return err
	}
	for b := make([]byte, 1<<20); ; {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, b); err != nil {
			return err
		}
	}
}

func endWithInput() {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
}
