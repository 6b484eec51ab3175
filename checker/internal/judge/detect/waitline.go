package detect

import (
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
)

// Place fills in where each process waits: the innermost line of the learner's
// files in the goroutine that fits the wait best.
func Place(d *evidence.Deadlock, stacks []evidence.Stacks, isLearner func(file string) bool) {
	for i := range d.Waits {
		w := &d.Waits[i]
		at := slices.IndexFunc(stacks, func(s evidence.Stacks) bool { return s.PID == w.PID })
		if at < 0 || w.Line != nil {
			continue
		}
		best := 0
		for _, g := range stacks[at].Goroutines {
			frame := slices.IndexFunc(g.Frames, func(f evidence.Frame) bool { return isLearner(f.File) })
			if frame < 0 {
				continue
			}
			// The main goroutine comes first among equals.
			score := 2 * fit(*w, g)
			if g.ID == 1 {
				score++
			}
			if w.Line == nil || score > best {
				line := g.Frames[frame]
				w.Line, best = &line, score
			}
		}
	}
}

// calls are names that a goroutine's innermost frames have for each kind of
// wait, and states the states that it can be in.
var (
	calls = map[string][]string{
		"lock":   {"Flock", "FcntlFlock", "fcntl", "flock"},
		"child":  {"os.(*Process).", "Wait4", "Waitid", "waitid", "wait4", "os/exec.(*Cmd).Wait"},
		"pipe":   {"os.(*File).", "internal/poll.(*FD).", "syscall.read", "syscall.write", "unix.Read", "unix.Write"},
		"socket": {"net.(*", "internal/poll.(*FD).", "syscall.read", "syscall.write", "Recv", "Send", "Accept"},
		"futex":  {"futex", "Futex", "Syscall6"},
		"signal": {"os/signal.", "Sigtimedwait", "Pause"}, "semaphore": {"Syscall"}, "queue": {"Syscall"}, "ring": {"Syscall"},
		"file": {"os.(*File).", "syscall.read", "unix.Read"},
	}
	states = map[string][]string{
		"lock": {"syscall"}, "child": {"syscall", "IO wait"}, "futex": {"syscall"},
		"pipe": {"IO wait", "syscall"}, "socket": {"IO wait", "syscall"}, "signal": {"syscall", "chan receive", "select"},
		"goroutine": {"chan ", "select", "sync", "semacquire"},
		"semaphore": {"syscall"}, "queue": {"syscall"}, "ring": {"syscall"}, "file": {"IO wait", "syscall"},
	}
)

// fit says how well a goroutine fits a wait: 0 not at all, 3 in state and call.
func fit(w evidence.Wait, g evidence.Goroutine) int {
	n := 0
	if slices.ContainsFunc(states[w.For], func(s string) bool { return strings.HasPrefix(g.State, s) }) {
		n++
	}
	for _, f := range g.Frames {
		if slices.ContainsFunc(calls[w.For], func(s string) bool { return strings.Contains(f.Func, s) }) {
			return n + 2
		}
	}
	return n
}
