//go:build linux

package box

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A starter starts a box in which something runs for ever, says so, and waits.
const starter Kind = "starter"

func startForEver(base string) error {
	cmd := exec.Command(self()[0])
	cmd.Env = []string{"ATTACK=wait for ever", "ARGUMENT=" + os.Getenv("MARK")}
	show, err := Programs([]string{self()[0], "/usr/bin/sleep"})
	if err != nil {
		return err
	}
	spec := Spec{Base: base, Show: show, Limits: Limits{MemoryMiB: 128, Tasks: 40, TmpMiB: 16, FileMiB: 16, Files: 256}}
	for _, l := range Probe(self(), base).Layers {
		if !l.OK {
			spec.Without = append(spec.Without, l.Name)
		}
	}
	cmd.Stdout = os.Stdout
	if _, err := Start(self(), Supervise, spec, cmd); err != nil {
		return err
	}
	return cmd.Wait()
}

// TestKilled: when the grader is killed, nothing of the box lives on, and what it could not
// take away the next one does. When process 1 is, its starter sees it end.
func TestKilled(t *testing.T) {
	need(t)
	for _, whom := range []string{"the grader", "process 1"} {
		t.Run(whom, func(t *testing.T) {
			base := t.TempDir()
			mark := fmt.Sprintf("9%d.%d", os.Getpid(), len(whom)) // how long it sleeps tells it from others
			cmd := exec.Command(self()[0], "boxed", string(starter), base)
			cmd.Env = append(os.Environ(), "MARK="+mark)
			require.NoError(t, cmd.Start())
			defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
			until(t, "the box is there", func() bool { return len(running(mark)) > 0 })
			if whom == "the grader" {
				require.NoError(t, cmd.Process.Kill())
			} else {
				first := parent(parent(running(mark)[0]))
				n, err := strconv.Atoi(first)
				require.NoError(t, err)
				require.Equal(t, strconv.Itoa(cmd.Process.Pid), parent(first), "it is not process 1")
				require.NoError(t, unix.Kill(n, unix.SIGKILL))
			}
			_ = cmd.Wait()
			until(t, "nothing runs", func() bool { return len(running(mark)) == 0 })
			// The next one.
			Probe(self(), t.TempDir())
			for _, dir := range hierarchies("pids") {
				left, _ := filepath.Glob(filepath.Join(dir, prefix+"*"))
				for _, l := range left {
					procs, err := os.ReadFile(filepath.Join(l, "cgroup.procs"))
					assert.True(t, err != nil || len(procs) > 0, "%s is left", l) // others run beside this test
				}
			}
			mounts, err := os.ReadFile("/proc/self/mounts")
			require.NoError(t, err)
			assert.NotContains(t, string(mounts), base)
		})
	}
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 3000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("waited in vain until %s", what)
}

// running are the processes that sleep for so many seconds.
func running(seconds string) (all []string) {
	found, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range found {
		if b, _ := os.ReadFile(path); string(b) == "/usr/bin/sleep\x00"+seconds+"\x00" {
			all = append(all, filepath.Base(filepath.Dir(path)))
		}
	}
	return all
}

func parent(pid string) string { return state(pid, "PPid") }
