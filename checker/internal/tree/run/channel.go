package run

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/wire"
)

// The bounds of the channel. A test's end, with the stacks of many goroutines, is the
// longest line; what goes beyond is not the harness's doing.
const (
	longestLine = 4 << 20 // bytes
	mostForged  = 100     // lines, until the program is ended
	mostTold    = 20      // of what was tampered with in one test
	unread      = 10 * time.Second
)

// keys makes the channel's key, which the harness reads first, and of it those of both
// directions.
func (s *session) keys() []byte {
	key := make([]byte, wire.KeySize)
	_, _ = rand.Read(key) // it never fails
	said, replied := make([]byte, wire.KeySize), make([]byte, wire.KeySize)
	wire.Split(key, said, replied)
	s.said, s.replied = wire.NewSealer(said), wire.NewSealer(replied)
	return key
}

// read hands on the lines of the test process until it closes its end.
func (s *session) read(events *os.File) {
	defer close(s.events)
	defer events.Close()
	r := bufio.NewReaderSize(events, 64<<10)
	for {
		line, err := readLine(r)
		if err != nil {
			return
		}
		s.events <- line
	}
}

// readLine reads one line. Of one that is too long nothing is kept: it is empty.
func readLine(r *bufio.Reader) (line []byte, err error) {
	tooLong := false
	for {
		part, err := r.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > longestLine; tooLong {
			line = nil
		} else {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err == nil || err == io.EOF && len(line) > 0 {
			return line, nil
		}
		return nil, err
	}
}

// hear takes one line. What was not said by the harness answers itself: nobody replies.
func (s *session) hear(line []byte) {
	var e wire.Event
	if s.said.Open(line, &e) == nil {
		s.handle(e)
		return
	}
	s.tampered("an event on the harness's channel was not the harness's")
	if s.forged++; s.forged == mostForged {
		s.abort(nil)
	}
}

// handle answers one event.
func (s *session) handle(e wire.Event) {
	switch e.Kind {
	case wire.Begin:
		if s.job.Mark != "" && e.Source != s.job.Mark {
			s.fault = "the tests' program was not built of the source that was handed in: the go command did not take the overlay (is the repository reached by a path that is not its own?)"
			s.kill()
			return
		}
		s.begin(e.Test)
		s.reply(wire.Reply{Canary: s.replied.Mark(s.canaries[e.Test])})
	case wire.End:
		s.end(e)
		s.reply(wire.Reply{})
	case wire.Unreachable:
		s.unreachable(e)
		s.reply(wire.Reply{})
	case wire.Signal:
		for _, pid := range e.PIDs {
			s.line.sent(pid, e.Signal)
		}
		s.reply(wire.Reply{})
	case wire.Waiting:
		s.waiting(e.PIDs)
	case wire.Settle:
		s.calmDown(func() bool { return false })
		s.reply(wire.Reply{})
	case wire.Deadlock:
		s.expect(e.PIDs)
	case wire.Expected:
		s.shared = append(s.shared, e.Record)
		s.reply(wire.Reply{})
	}
}

func (s *session) reply(r wire.Reply) {
	line, err := s.replied.Seal(r)
	if err != nil {
		return
	}
	// Who asks reads the answer. If nobody does, the process has ended, and that is seen,
	// or it asks and does not listen.
	_ = s.replies.SetWriteDeadline(time.Now().Add(unread))
	if _, err := s.replies.Write(line); errors.Is(err, os.ErrDeadlineExceeded) {
		s.tampered("the harness's channel was written to, and its answers were not read")
		s.kill()
	}
}

// comes returns the test that begins, if it is one whose turn it can be: each of those
// that were asked for begins once, when no other is running.
func (s *session) comes(name string) *evidence.Test {
	i := slices.IndexFunc(s.tests, func(t *evidence.Test) bool { return t.Name == name })
	switch {
	case s.test != nil:
		s.tampered(fmt.Sprintf("%s was said to begin before %s had ended", name, s.test.Name))
		return nil
	case i < 0 && s.job.Asked != nil:
		return nil // package testing chooses; what kata.json does not list earns nothing
	case i < 0:
		s.tampered(name + " was said to begin, and was not asked for")
		return nil
	case s.tests[i].Status != "":
		s.last = s.tests[i]
		s.tampered(name + " was said to begin a second time")
		return nil
	}
	return s.tests[i]
}

// earned is what a test's end says, as far as it can be believed: a test has passed only
// if its function returned, and it was skipped only for what this machine lacks.
func (s *session) earned(e wire.Event) (status evidence.Status, unearned string) {
	switch {
	case e.Gone:
		return evidence.Failed, "your program ended the goroutine that had called it (runtime.Goexit), and the call never returned"
	case e.Status == evidence.Skipped && s.job.Asked == nil && !s.job.mayBeSkipped(e.Test):
		return evidence.Failed, "the test was skipped, and this machine lacks nothing that it needs"
	case e.Status != evidence.Passed && e.Status != evidence.Skipped && e.Status != evidence.Failed:
		return evidence.Failed, "the test ended, and nobody can say how"
	}
	return e.Status, ""
}

// tampered notes what only makes sense against the grader, with the test that runs, or
// ended last, or else was to come first.
func (s *session) tampered(what string) {
	t := s.tests[0]
	if s.last != nil {
		t = s.last
	}
	if s.test != nil {
		t = s.test
	}
	tamper(t, what)
}

// tamper notes each thing once, and not too many.
func tamper(t *evidence.Test, all ...string) {
	for _, what := range all {
		if len(t.Tampering) < mostTold && !slices.Contains(t.Tampering, what) {
			t.Tampering = append(t.Tampering, what)
		}
	}
}

// after looks at how the test process ended when no test was running. Package testing
// ends it with 0 or 1 once the last of its tests has ended; anything else is the doing of
// what the test before it left behind.
func (s *session) after() {
	t := s.last
	if t == nil || s.test != nil || s.fault != "" || t.Unearned != "" || t.Status == evidence.Aborted || s.killed && s.excessive == nil {
		return
	}
	if s.excessive != nil {
		t.Status, t.Exit, t.Limit = evidence.Aborted, s.late, s.excessive
		return
	}
	code := s.cmd.ProcessState.ExitCode()
	waits := s.job.Asked == nil && slices.ContainsFunc(s.tests, func(t *evidence.Test) bool { return t.Status == "" })
	if (code == 0 || code == 1) && !waits {
		return
	}
	t.Status, t.Exit = evidence.Aborted, "after the test's end: "+s.exit
	t.Crashes = append(t.Crashes, s.crashes...)
}

// kill ends the tree.
func (s *session) kill() {
	s.killed = true
	endAll(s.cmd.Process.Pid)
}
