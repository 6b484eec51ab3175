//go:build linux

package observe

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
)

func init() {
	// A program whose child has left its session and then lost its parent.
	reexec.Register("see-orphan", func() {
		cmd := command("see-middle")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		cmd.Stdout = os.Stdout
		cmd.Run()
		park()
	})
	reexec.Register("see-middle", func() {
		cmd := command("see-left behind", "with an argument")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		cmd.Stdout = os.Stdout
		cmd.Start()
	})
	reexec.Register("see-left behind", func() {
		fmt.Println("here")
		time.Sleep(time.Minute)
	})
	// A program with a child that ended and that it does not wait for.
	reexec.Register("see-zombie", func() {
		cmd := command("see-nothing")
		cmd.Start()
		unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		fmt.Println("here")
		park()
	})
	reexec.Register("see-nothing", func() {})
	// A program that maps a file, and holds a pidfd of itself.
	reexec.Register("see-files", func() {
		f, err := os.OpenFile(os.Args[1], os.O_RDWR|os.O_CREATE, 0o600)
		if err == nil {
			err = f.Truncate(12345)
		}
		if err == nil {
			_, err = unix.Mmap(int(f.Fd()), 0, 12345, unix.PROT_READ, unix.MAP_SHARED)
		}
		if err == nil {
			_, err = unix.PidfdOpen(os.Getpid(), 0)
		}
		fmt.Println("done:", err)
		park()
	})
}

func named(t *testing.T, list []evidence.Process, name string) evidence.Process {
	t.Helper()
	i := slices.IndexFunc(list, func(p evidence.Process) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no %q in %+v", name, list)
	}
	return list[i]
}

func TestProcessesFindsWhoLeft(t *testing.T) {
	start(t, command("see-orphan"))
	// The one in the middle ends in its own time.
	var list []evidence.Process
	for {
		var err error
		if list, err = Processes(os.Getpid()); err != nil {
			t.Fatal(err)
		}
		if p := named(t, list, "see-left behind"); p.Parent == os.Getpid() {
			break
		}
		time.Sleep(time.Millisecond)
	}
	p := named(t, list, "see-left behind")
	if !p.Session || len(p.Args) != 2 || p.Args[1] != "with an argument" || p.Start == 0 || p.Ending {
		t.Errorf("process is %+v", p)
	}
	unix.Kill(p.PID, unix.SIGKILL)
	unix.Wait4(p.PID, nil, 0, nil)
}

func TestProcessesShowsZombies(t *testing.T) {
	start(t, command("see-zombie"))
	list, err := Processes(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	parent := named(t, list, "see-zombie")
	i := slices.IndexFunc(list, func(p evidence.Process) bool { return p.Parent == parent.PID })
	if i < 0 || list[i].State != "Z" || !list[i].Ending {
		t.Errorf("processes are %+v, want a zombie below %d", list, parent.PID)
	}
}

func TestProcessesOfNobody(t *testing.T) {
	if _, err := Processes(1 << 30); err == nil {
		t.Error("no error for a process that is not there")
	}
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a file")
	cmd := command("see-files", path)
	if line := start(t, cmd); line != "done: <nil>\n" {
		t.Fatal(line)
	}
	pid := cmd.Process.Pid
	fds, err := Descriptors(pid)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(fds, func(d evidence.Descriptor) bool { return d.FD > 2 && d.Target == path && d.PID == pid }) {
		t.Errorf("no descriptor of %s in %+v", path, fds)
	}
	if !slices.ContainsFunc(fds, func(d evidence.Descriptor) bool { return d.Of == pid }) {
		t.Errorf("no pidfd of %d in %+v", pid, fds)
	}
	if !slices.ContainsFunc(fds, func(d evidence.Descriptor) bool { return d.FD == 0 && strings.HasPrefix(d.Target, "pipe:[") }) {
		t.Errorf("no pipe at 0 in %+v", fds)
	}
	maps, err := SharedMappings(pid)
	if err != nil {
		t.Fatal(err)
	}
	// A mapping is whole pages to the kernel.
	if len(maps) != 1 || maps[0].Path != path || maps[0].Bytes != 16384 {
		t.Errorf("mappings are %+v", maps)
	}
	rss, err := Memory(pid)
	if err != nil || rss < 1<<20 || rss > 1<<30 {
		t.Errorf("memory is %d, %v", rss, err)
	}
}
