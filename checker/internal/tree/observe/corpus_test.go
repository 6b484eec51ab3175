//go:build linux

package observe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/tree/wakes"
)

// A row of the corpus is a tree of processes. Its programs are functions of
// this test binary, by role; the tree begins with the role "top".
type row struct {
	name string
	// want is what a dead tree's waits must name, and nothing else; for a live
	// one it is empty.
	want []string
	// circle is how many processes the circle has; -1: that does not matter.
	circle int
	// endless rows are alive but have no end; all others must end by
	// themselves, with success, which proves that they were alive.
	endless bool
	// outside, if set, is what goes on outside of the tree meanwhile. It
	// returns arguments for the role "top", and files that it inherits from
	// descriptor 4 on.
	outside func(t testing.TB) (args []string, files []*os.File)
	needs   string // a program that must be installed
	// open rows share their addresses (ports, abstract names, keys) with the machine, as
	// those with an outside do; all others have them for themselves.
	open bool
	// slow rows do not say when they fall asleep, or are called a while after that.
	slow bool
	// pids rows have process IDs of their own.
	pids  bool
	roles map[string]func(args []string)
}

func (r row) dead() bool { return len(r.want) > 0 }

func init() {
	reexec.Register("corpus-root", corpusRoot)
	reexec.Register("corpus-sleeper", func() { time.Sleep(2 * nap) })
	reexec.Register("corpus-lock", func() { // PATH KIND: holds a lock for two naps
		f := must(os.OpenFile(os.Args[1], os.O_RDWR, 0))
		if os.Args[2] == "posix" {
			check(fcntlLock(f, unix.F_SETLKW))
		} else {
			check(flock(f))
		}
		fmt.Println("held")
		time.Sleep(2 * nap)
	})
	for _, r := range corpus() {
		for role, f := range r.roles {
			reexec.Register(r.name+"/"+role, func() {
				if os.Getenv(loopbackEnv) != "" {
					os.Unsetenv(loopbackEnv)
					check(loopbackUp())
				}
				f(os.Args[1:])
			})
		}
	}
}

// corpusRoot is a supervisor: it adopts and collects the orphans of its tree,
// and ends as the first process of the tree ended.
func corpusRoot() {
	check(unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	cmd := command(os.Args[1:]...)
	cmd.Stdout = os.Stdout
	cmd.SysProcAttr = world(must(strconv.ParseUint(os.Getenv(worldEnv), 10, 64)))
	if cmd.SysProcAttr.Cloneflags&unix.CLONE_NEWNET != 0 {
		cmd.Env = append(cmd.Env, loopbackEnv+"=up")
	}
	for fd := 3; ; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			break
		}
		cmd.ExtraFiles = append(cmd.ExtraFiles, os.NewFile(uintptr(fd), ""))
	}
	check(cmd.Start())
	for _, f := range cmd.ExtraFiles[1:] {
		f.Close() // else we ourselves would be at the other end of everything
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		if err == unix.EINTR {
			continue
		}
		check(err)
		if pid == cmd.Process.Pid {
			os.Exit(status.ExitStatus())
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
		os.Exit(3)
	}
}

// quiet notes that this process is about to fall asleep. Descriptor 3 leads to
// the test.
func quiet() {
	unix.Write(3, binary.NativeEndian.AppendUint64(nil, uint64(time.Now().UnixNano())))
}

// child starts a role of the same row. It gets descriptor 3 and the files after
// it, and stays if it is not waited for.
func child(role string, files []*os.File, args ...string) *exec.Cmd {
	name, _, _ := strings.Cut(os.Args[0], "/")
	cmd := command(append([]string{name + "/" + role}, args...)...)
	cmd.ExtraFiles = append([]*os.File{os.NewFile(uintptr(must(unix.FcntlInt(3, unix.F_DUPFD_CLOEXEC, 100))), "quiet")}, files...)
	check(cmd.Start())
	cmd.ExtraFiles[0].Close()
	return cmd
}

func must[T any](v T, err error) T {
	check(err)
	return v
}

// An outcome is what came of a row.
type outcome struct {
	dead    *evidence.Deadlock
	snap    evidence.Snapshot
	delay   time.Duration // from quiet to the verdict
	reasons []string      // why it was held to be alive
	end     error         // of a tree that ended by itself
	ended   bool
	partial *evidence.Deadlock // asked for once, at the end of an endless row
}

// play runs a row until it ends, or was called dead, or its time is over.
func play(t testing.TB, r row, limit time.Duration) outcome {
	t.Helper()
	var args []string
	var files []*os.File
	if r.outside != nil {
		args, files = r.outside(t)
	}
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd, inside := supervised(t, r, args)
	cmd.ExtraFiles = append([]*os.File{out}, files...)
	inside.Wakes, err = wakes.Start(cmd.Start)
	if errors.Is(err, wakes.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer inside.Wakes.Close()
	out.Close()
	for _, f := range files {
		f.Close()
	}
	root := cmd.Process.Pid
	var o outcome
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var last time.Time // when the last process said that it falls asleep
	var mu sync.Mutex
	go func() {
		var b [8]byte
		for {
			if _, err := io.ReadFull(in, b[:]); err != nil {
				return
			}
			mu.Lock()
			last = time.Unix(0, int64(binary.NativeEndian.Uint64(b[:])))
			mu.Unlock()
		}
	}()
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		cancel()
	}()
	w := Watch{
		Root:     root,
		Inside:   inside,
		Question: func() (evidence.Question, bool) { return evidence.Question{}, true },
		Decide: func(a, b evidence.Snapshot, q evidence.Question) (*evidence.Deadlock, string) {
			d, alive := detect.Dead(a, b, q)
			if d == nil && len(b.Processes) > 0 {
				o.snap = b
			}
			return d, alive
		},
		Found: func(d *evidence.Deadlock, s evidence.Snapshot) {
			now := time.Now()
			for o.delay = 0; o.delay == 0; { // the last word may still be on its way to us
				time.Sleep(time.Millisecond)
				mu.Lock()
				if !last.IsZero() {
					o.delay = now.Sub(last)
				}
				mu.Unlock()
			}
			o.dead, o.snap = d, s
			cancel()
		},
		Alive: func(reason string) {
			if !slices.Contains(o.reasons, reason) {
				o.reasons = append(o.reasons, reason)
			}
		},
	}
	if err := w.Run(ctx); err != nil {
		t.Errorf("watch: %v", err)
	}
	if o.dead == nil && ctx.Err() == context.DeadlineExceeded {
		if a, b, err := Snapshots(root, inside); err == nil {
			o.partial = detect.Partial(a, b, evidence.Question{})
			if len(o.snap.Processes) == 0 {
				o.snap = b
			}
		}
	}
	if o.dead != nil || ctx.Err() == context.DeadlineExceeded {
		endTree(root)
		<-ended
		return o
	}
	o.end, o.ended = <-ended, true
	return o
}

// endTree ends a supervisor with all that is below it.
func endTree(root int) {
	for {
		list, err := Processes(root)
		if err != nil {
			break
		}
		list = slices.DeleteFunc(list, func(p evidence.Process) bool { return p.State == "Z" })
		if len(list) == 0 {
			break
		}
		for _, p := range list {
			unix.Kill(p.PID, unix.SIGKILL)
		}
		time.Sleep(time.Millisecond)
	}
	unix.Kill(root, unix.SIGKILL)
}

// judge compares an outcome with what the row expects.
func judge(r row, o outcome) string {
	switch {
	case !r.dead() && o.dead != nil:
		return fmt.Sprintf("FALSE ALARM: %s", tell(o.dead))
	case !r.dead() && o.ended && o.end != nil:
		return fmt.Sprintf("it did not end well: %v", o.end)
	case !r.dead() && !o.ended && !r.endless:
		return fmt.Sprintf("it did not end; it was alive because %q", o.reasons)
	case !r.dead():
		return ""
	case o.dead == nil:
		return fmt.Sprintf("missed: it was held to be alive because %q (ended: %v, %v)", o.reasons, o.ended, o.end)
	}
	var kinds []string
	for _, w := range o.dead.Waits {
		if !slices.Contains(kinds, w.For) {
			kinds = append(kinds, w.For)
		}
	}
	slices.Sort(kinds)
	if !slices.Equal(kinds, r.want) || r.circle >= 0 && len(o.dead.Circle) != r.circle {
		return fmt.Sprintf("waits for %q with a circle of %d, want %q and %d: %s", kinds, len(o.dead.Circle), r.want, r.circle, tell(o.dead))
	}
	return ""
}

func tell(d *evidence.Deadlock) string {
	var b strings.Builder
	for _, w := range d.Waits {
		fmt.Fprintf(&b, "\n  pid %d %q waits for %s %s, on %v", w.PID, w.Name, w.For, w.What, w.On)
	}
	fmt.Fprintf(&b, "\n  circle %v", d.Circle)
	return b.String()
}
