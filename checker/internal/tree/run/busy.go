package run

import (
	"context"
	"os"
	"time"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/observe"
)

// waiting looks at what it costs that these processes wait, and keeps what did not
// come to rest.
func (s *session) waiting(pids []int) {
	if s.test == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(s.job.Kata.Limits.Seconds)*time.Second)
	defer cancel()
	for _, b := range observe.Waiting(ctx, pids) {
		if b.Name = s.seen[b.PID].Name; b.PID == s.cmd.Process.Pid {
			b.Name = s.job.Kata.Package() + ".test"
		}
		if !b.Rested {
			busy := s.busy(s.test)
			busy.Waiting = append(busy.Waiting, b)
		}
	}
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
