package run

import (
	"os"
	"slices"
	"syscall"
	"time"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/observe"
)

// endAll ends every process below this one, however it hides: no session and no
// process group takes a process out of the tree of a subreaper. All are stopped
// before any is killed, so that a program that forks without end does not win the
// race. The process except is left for its own wait to collect.
func endAll(except int) {
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		alive := living(except)
		if len(alive) == 0 {
			return
		}
		for {
			moving := slices.DeleteFunc(slices.Clone(alive), func(p evidence.Process) bool { return p.State == "T" || p.State == "Z" || p.Ending })
			if len(moving) == 0 {
				break
			}
			for _, p := range moving {
				_ = syscall.Kill(p.PID, syscall.SIGSTOP) // ESRCH: it has ended
			}
			stopped := len(alive)
			if alive = living(except); len(alive) <= stopped {
				break // nobody has begun meanwhile
			}
		}
		for _, p := range alive {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
		reapOrphans(alive, except)
		time.Sleep(wait)
	}
}

// living returns the processes below this one, without those that only their own
// parent, or the wait for the process except, can collect.
func living(except int) []evidence.Process {
	processes, err := observe.Processes(os.Getpid())
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(processes, func(p evidence.Process) bool {
		return p.State == "Z" && (p.PID == except || p.Parent != os.Getpid())
	})
}

// end ends one process.
func end(p evidence.Process, except int) {
	if p.State == "Z" {
		return // it has ended; only its parent can collect it
	}
	_ = syscall.Kill(p.PID, syscall.SIGKILL)
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		processes, err := observe.Processes(os.Getpid())
		if err != nil {
			return
		}
		i := slices.IndexFunc(processes, func(q evidence.Process) bool { return q.PID == p.PID && q.Start == p.Start })
		if i < 0 || processes[i].State == "Z" {
			reapOrphans(processes, except)
			return
		}
		time.Sleep(wait)
	}
}

// reap collects the orphans that have ended.
func (s *session) reap(processes []evidence.Process) { reapOrphans(processes, s.cmd.Process.Pid) }

// reapOrphans collects ended children of this process, but not the test process:
// that one is waited for elsewhere.
func reapOrphans(processes []evidence.Process, except int) {
	for _, p := range processes {
		if p.State == "Z" && p.Parent == os.Getpid() && p.PID != except {
			var status syscall.WaitStatus
			_, _ = syscall.Wait4(p.PID, &status, syscall.WNOHANG, nil)
		}
	}
}

// patience is for how long answers are waited for on a machine that does next to
// nothing.
const patience = time.Minute

// askStacks asks every process of the tree for its goroutines, which ends those
// that are Go programs, and returns them. A process that is busy is asked in its
// busiest thread, which alone can tell what it runs.
func (s *session) askStacks(busy ...evidence.Burn) []evidence.Stacks {
	processes, err := observe.Processes(os.Getpid())
	if err != nil {
		return nil
	}
	if len(processes) > 64 {
		processes = processes[:64]
	}
	// What was written before is a crash of its own.
	if s.test != nil {
		s.test.Crashes = append(s.test.Crashes, s.readCrashes()...)
	}
	// What was printed until now is the test's; then come the stacks, of all processes at
	// the same time.
	if s.test != nil {
		s.test.Output = s.out.take()
	}
	s.out.mute()
	s.note(processes) // as they are, not as they will be
	s.asked = true
	// All are stopped before any is asked, and asked before any goes on, and what they
	// talk through is held open: else the end of the first would wake the others, and they
	// would be seen elsewhere.
	defer hold(processes)()
	for _, p := range processes {
		_ = syscall.Kill(p.PID, syscall.SIGSTOP)
	}
	for _, p := range processes {
		s.line.signal(p.PID, syscall.SIGQUIT)
		i := slices.IndexFunc(busy, func(b evidence.Burn) bool { return b.PID == p.PID })
		if i < 0 || !quit(p.PID, busy[i].Thread) {
			_ = syscall.Kill(p.PID, syscall.SIGQUIT)
		}
	}
	for _, p := range processes {
		_ = syscall.Kill(p.PID, syscall.SIGCONT)
	}
	names := map[int]string{}
	for _, p := range processes {
		names[p.PID] = p.Name
	}
	// A machine that is busy makes them wait for a processor, which is no time here.
	account := newAccount()
	for account.Look(time.Second).Rest < time.Second && account.Spent().Wall < patience {
		now, err := observe.Processes(os.Getpid())
		if err != nil || !slices.ContainsFunc(now, func(p evidence.Process) bool { return names[p.PID] != "" && p.State != "Z" && !p.Ending }) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	var all []evidence.Stacks
	for _, c := range s.readCrashes() {
		all = append(all, evidence.Stacks{PID: c.PID, Name: names[c.PID], Goroutines: c.Goroutines})
	}
	return all
}
