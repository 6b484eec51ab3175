package run

import (
	"context"
	"fmt"
	"os"
	"sync"
	"syscall"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/observe"
	"prokata/checker/internal/tree/wire"
)

// A Judge decides what snapshots of a tree mean. It is handed in, because to
// decide is not this package's part.
type Judge struct {
	// Dead returns the proof that the processes in question can never go on, or
	// why they may.
	Dead func(a, b evidence.Snapshot, q evidence.Question) (*evidence.Deadlock, string)
	// Partial returns those processes of a tree that wait for each other alone.
	Partial func(a, b evidence.Snapshot, q evidence.Question) *evidence.Deadlock
}

// A deadlockWatch looks at the tree beside the session, for the moment at which
// it can never go on.
type deadlockWatch struct {
	found  chan verdict
	cancel context.CancelFunc
	done   chan struct{}
	err    error // set before done

	mu         sync.Mutex
	generation int  // of the test that is watched
	on         bool // a test is running
	question   evidence.Question
}

// A verdict is a proof, and the generation of the test that it is about.
type verdict struct {
	generation int
	deadlock   *evidence.Deadlock
	snapshot   evidence.Snapshot
}

func watchDeadlock(dead func(a, b evidence.Snapshot, q evidence.Question) (*evidence.Deadlock, string), inside observe.Inside, saw func(observe.Sight)) *deadlockWatch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &deadlockWatch{found: make(chan verdict, 1), cancel: cancel, done: make(chan struct{})}
	asked := 0
	watch := observe.Watch{
		Root:   os.Getpid(),
		Inside: inside,
		Question: func() (evidence.Question, bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			asked = w.generation
			return w.question, w.on
		},
		Decide: dead,
		Saw:    saw,
		Found: func(d *evidence.Deadlock, s evidence.Snapshot) {
			select {
			case w.found <- verdict{asked, d, s}:
			case <-ctx.Done():
			}
		},
	}
	go func() {
		defer close(w.done)
		w.err = watch.Run(ctx) // what the kernel does not show is a timeout in the end, never a deadlock
	}()
	return w
}

func (w *deadlockWatch) set(on bool, q evidence.Question) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.generation++
	w.on, w.question = on, q
}

// stop ends the watch and returns why it saw nothing, if it did not.
func (w *deadlockWatch) stop() error {
	w.cancel()
	<-w.done
	return w.err
}

// current reports whether the verdict is about what is being watched now.
func (w *deadlockWatch) current(v verdict) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.on && v.generation == w.generation
}

// expect begins to wait for the deadlock that a test asks for.
func (s *session) expect(pids []int) {
	s.expected = pids
	s.deadlock.set(true, evidence.Question{Only: pids, Assume: []int{s.cmd.Process.Pid}, Channel: []string{s.channel}})
}

// dead acts upon a proof: the test gets the word that it asked for, or is ended.
func (s *session) dead(v verdict) {
	if s.test == nil || s.closed || !s.deadlock.current(v) {
		return
	}
	if s.expected != nil {
		v.deadlock.Expected = true
		s.line.mark("expected", 0, "deadlock")
		s.test.Deadlock = v.deadlock
		s.answer(wire.Reply{Deadlock: v.deadlock})
		return
	}
	s.line.judged("deadlock")
	stacks := s.askStacks()
	s.finish(evidence.Aborted, func(t *evidence.Test) {
		t.Deadlock, t.Stacks = v.deadlock, stacks
		s.standing(t, &v.snapshot)
	})
	s.kill()
}

// standing writes down the tree as it stood, and where its things came from. readSites
// has been called.
func (s *session) standing(t *evidence.Test, snapshot *evidence.Snapshot) {
	if snapshot == nil {
		return
	}
	t.Snapshot = snapshot
	there := map[string]bool{}
	for _, x := range snapshot.Objects {
		there[x.ID] = true
	}
	for _, o := range s.opened {
		e := evidence.Opening{PID: o.PID, Kind: o.Kind, Object: o.Name, Sure: o.Sure, Frame: evidence.Frame{File: s.job.file(o.File), Line: o.Line}}
		switch {
		case o.Kind == "child":
			e.Child = o.Number
		case o.Kind != "fd" || !there[o.Name]:
			continue
		}
		t.Openings = append(t.Openings, e)
	}
}

// answer ends the wait for an expected deadlock.
func (s *session) answer(r wire.Reply) {
	s.expected = nil
	s.deadlock.set(true, evidence.Question{})
	s.reply(r)
}

// unexpected ends that wait if the processes have ended instead.
func (s *session) unexpected(processes []evidence.Process) {
	if s.expected == nil {
		return
	}
	for _, p := range processes {
		for _, pid := range s.expected {
			if p.PID == pid && p.State != "Z" {
				return
			}
		}
	}
	s.answer(wire.Reply{Problem: fmt.Sprintf("the processes %v ended", s.expected)})
}

// objectID names the pipe of a file as snapshots do: "pipe:[123]".
func objectID(f *os.File) string {
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("pipe:[%d]", st.Ino)
}
