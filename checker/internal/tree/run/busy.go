package run

import (
	"os"
	"time"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/observe"
	"prokata/checker/internal/tree/wire"
)

// waiting begins to look at what it costs that these processes wait.
func (s *session) waiting(pids []int) {
	if s.test == nil {
		s.reply(wire.Reply{})
		return
	}
	s.resting = observe.NewRest(pids, s.slow)
	s.step.Reset(observe.Step)
}

// rested looks again. The test goes on once all have come to rest; one that never will
// is its end, as that alone shows where it is.
func (s *session) rested() {
	if s.resting == nil {
		return
	}
	if s.resting.Look() {
		s.step.Reset(observe.Step)
		return
	}
	burns := s.resting.Burns()
	s.resting = nil
	if s.test == nil {
		return
	}
	var busy []evidence.Burn
	for _, b := range burns {
		if b.Rested {
			continue
		}
		if b.Name = s.seen[b.PID].Name; b.PID == s.cmd.Process.Pid || b.Name == "" {
			b.Name = s.job.Kata.Package() + ".test"
		}
		busy = append(busy, b)
	}
	if len(busy) == 0 {
		s.reply(wire.Reply{})
		return
	}
	s.line.judged("busy-wait")
	stacks := s.askStacks(busy...)
	s.finish(evidence.Aborted, func(t *evidence.Test) {
		s.busy(t).Waiting, t.Stacks = busy, stacks
	})
	s.kill()
}

func (s *session) busy(t *evidence.Test) *evidence.Busy {
	if t.Busy == nil {
		t.Busy = &evidence.Busy{}
	}
	return t.Busy
}

// measure follows, a few times a second, what the tree takes since the last
// progress of a test that counts it.
func (s *session) measure() {
	const often = 250 * time.Millisecond
	count := s.dir.progress()
	if s.meter == nil {
		if count == s.counted {
			return // a test that has counted nothing yet may be one that never does
		}
		s.meter = observe.NewMeter(os.Getpid())
	}
	if time.Since(s.metered) >= often {
		s.meter.Look(count)
		s.metered = time.Now()
	}
}
