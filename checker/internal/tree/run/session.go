package run

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/instrument"
	"prokata/checker/internal/tree/observe"
	"prokata/checker/internal/tree/wakes"
	"prokata/checker/internal/tree/wire"
)

// pace is how often the supervisor looks at the tree. It is the bound on how
// long a tree can be over its limits before that is noticed.
const (
	pace     = 100 * time.Millisecond
	slowPace = 4 * pace // of a tree that takes long to look at
	share    = 30       // looks may take one part in so many of the time
)

// A session is the life of one test process.
type session struct {
	enough bool // a test was bad, and no other is wanted: the process was ended by us

	job   Job
	dir   *private
	tests []*evidence.Test
	token string

	cmd     *exec.Cmd
	out     *capture
	events  chan wire.Event
	replies *os.File
	ended   chan error // the test process has ended

	test     *evidence.Test // the one between begin and end, or nil
	begun    time.Time
	account  *observe.Account
	had      observe.Spent // by the tree as the test began
	slow     float64       // how many times slower than usual this machine is
	printed  int64         // bytes that had been printed as it began
	before   look
	opened   []instrument.Site        // where the source under test opened things
	seen     map[int]evidence.Process // its child processes by ID
	own      map[int]bool             // those that are known to have run the tests' program
	line     *chronicle
	starts   *starts
	closed   bool   // the test process has closed the channel
	outside  string // what was printed between tests
	exit     string // how the test process ended
	fault    string // why nothing that it says counts
	eyes     eyes
	unseen   []string         // codes of what could not be looked for
	made     map[string]bool  // shared-memory objects that the tree has opened
	there    map[string]bool  // those that were there before the first test
	shares   bool             // others make objects in the same folder
	late     string           // why it was ended outside of any test
	crashes  []evidence.Crash // outside of any test
	deadlock *deadlockWatch
	expected []int  // the processes whose deadlock the test waits for
	channel  string // the pipe of the replies, as snapshots name it
	judge    Judge
	cage     cage
	inside   observe.Inside // what is the tree's own
	refused  int64          // tasks that the kernel had refused as the test began
	starved  int64          // processes that it had ended for want of memory
	asked    bool           // the processes have been asked for their stacks, and end of that
	resting  *observe.Rest  // the processes of which the test waits to hear that they rest
	step     *time.Timer    // until the next look at them
	meter    *observe.Meter // of a test that counts its progress
	counted  uint64         // its count as it began
	metered  time.Time
}

// start1 starts one test process for the tests.
func start1(job Job, judge Judge, dir *private, cage cage, starts *starts, line *chronicle, slow float64, tests []*evidence.Test) (*session, error) {
	s := &session{job: job, slow: slow, starts: starts, line: line, own: map[int]bool{}, judge: judge, cage: cage, dir: dir, tests: tests, token: newToken(), inside: observe.Inside{Folder: dir.real(), Own: job.Box != nil}, events: make(chan wire.Event), ended: make(chan error, 1), eyes: open(job.Box), made: map[string]bool{}}
	fail := func(err error) (*session, error) { return nil, fmt.Errorf("%w: %w", errSetUp, err) }
	out, err := newCapture(job.Echo)
	if err != nil {
		return fail(err)
	}
	events, eventsW, err := os.Pipe()
	if err != nil {
		return fail(err)
	}
	repliesR, replies, err := os.Pipe()
	if err != nil {
		return fail(err)
	}
	s.out, s.replies, s.channel = out, replies, objectID(replies)
	work := job.WorkDir
	if work == "" {
		work = dir.path(wire.WorkDir)
	}
	args := append([]string{"-test.timeout=0", "-test.count=1"}, job.choice(tests)...)
	if job.Echo == nil {
		args = append(args, "-test.v", "-test.paniconexit0")
	}
	set := map[string]string{
		wire.RoleEnv:  "tests",
		wire.RunEnv:   dir.dir,
		wire.SeedEnv:  strconv.FormatUint(job.Seed, 10),
		wire.WatchEnv: dir.path(wire.WatchDir),
		wire.TodoEnv:  dir.path(wire.TodoFile),
		wire.SitesEnv: dir.path(wire.SitesFile),
		"TMPDIR":      dir.path(wire.TempDir),
		"PWD":         work,
		// Without the stacks nobody knows where a process crashed or hung, whatever the
		// person has set.
		"GOTRACEBACK": "all",
		// The exit status of a racy child must stay what the program made it: a
		// race is found in the log, and must not look like a second mistake.
		"GORACE": "log_path='" + dir.path(wire.RaceDir, "r") + "' atexit_sleep_ms=0 exitcode=0",
	}
	if isOwn(tests[0]) {
		set[wire.OwnEnv] = tests[0].Name
	}
	if job.Mutant != 0 {
		set[wire.MutantEnv] = strconv.Itoa(job.Mutant)
	}
	if job.Perturb {
		set[wire.PerturbEnv] = strconv.FormatUint(job.Seed, 10)
		// Fewer processors order goroutines otherwise, and more make the kernel do it.
		if n := []string{"", "1", "2", "4"}[job.Seed%4]; n != "" {
			set["GOMAXPROCS"] = n
		}
	}
	for _, own := range worlds(job) {
		s.cmd = exec.Command(job.Binary, args...)
		s.cmd.Dir, s.cmd.Env = work, environment(set)
		s.cmd.Stdout, s.cmd.Stderr = out.w, out.w
		s.cmd.ExtraFiles = []*os.File{eventsW, repliesR}
		s.cmd.SysProcAttr = ownSession(own)
		start := func() error { return job.Box.start(s.cmd) }
		if s.inside.Wakes, err = wakes.Start(start); errors.Is(err, wakes.ErrUnsupported) {
			err = start() // alarms are guessed at, as far as that can be done
		}
		if err == nil {
			break
		}
	}
	eventsW.Close()
	repliesR.Close()
	if err != nil {
		out.close()
		events.Close()
		replies.Close()
		return fail(err)
	}
	// The harness waits for its token before any code under test runs.
	held := cage.hold(s.cmd.Process.Pid, job.Kata.Limits.Processes)
	if held != nil {
		endAll(0)
		return fail(held)
	}
	_, _ = replies.WriteString(s.token + "\n") // if nobody reads it, the process has ended, and that is seen
	out.start()
	go s.read(events)
	go func() { s.ended <- s.cmd.Wait() }()
	s.account = newAccount()
	s.deadlock = watchDeadlock(judge.Dead, s.inside, line.saw)
	return s, nil
}

// read hands on the events of the test process until it closes its end.
func (s *session) read(events *os.File) {
	defer close(s.events)
	defer events.Close()
	r := bufio.NewReader(events)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return
		}
		var e wire.Event
		if json.Unmarshal(line, &e) != nil {
			e = wire.Event{} // it has no token, and is refused as forged
		}
		s.events <- e
	}
}

// watch follows the test process to its end.
func (s *session) watch(ctx context.Context) error {
	s.step = time.NewTimer(observe.Step)
	defer s.step.Stop()
	tick := time.NewTimer(pace)
	defer tick.Stop()
	defer s.inside.Wakes.Close()
	defer s.replies.Close()
	defer s.out.close()
	defer s.sweep()
	defer s.drain()
	defer func() {
		if s.deadlock.stop() != nil { // which is never the tree's doing
			s.miss(forCalls)
		}
	}()
	events := s.events
	for {
		select {
		case e, ok := <-events:
			if !ok {
				events, s.closed = nil, true
				continue
			}
			s.handle(e)
			if (s.job.FailFast || s.job.Climb) && slices.ContainsFunc(s.tests, func(t *evidence.Test) bool { return bad(*t) }) {
				s.enough = true
				endAll(s.cmd.Process.Pid)
			}
		case <-tick.C:
			start := time.Now()
			s.poll()
			// A tree of hundreds takes a while to look at: never more than a
			// small share of the time.
			tick.Reset(min(max(pace, share*time.Since(start)), slowPace))
		case <-s.step.C:
			s.rested()
		case d := <-s.deadlock.found:
			s.dead(d)
		case err := <-s.ended:
			s.over(err)
			return nil
		case <-ctx.Done():
			endAll(s.cmd.Process.Pid)
			<-s.ended
			return ctx.Err()
		}
	}
}

// drain lets the reader of events come to its end.
func (s *session) drain() {
	endAll(s.cmd.Process.Pid)
	for range s.events { //nolint:revive // what comes now is too late
	}
}

// poll looks at the tree between events: who is there, and is it within its limits.
func (s *session) poll() {
	processes, err := observe.Processes(os.Getpid())
	if err != nil {
		return
	}
	s.line.there(processes, os.Getpid())
	s.reap(processes)
	s.note(processes)
	s.whose(processes)
	s.unexpected(processes)
	// A process that is about to end has closed the channel too: it will be collected.
	cut := s.closed && slices.ContainsFunc(processes, func(p evidence.Process) bool {
		return p.PID == s.cmd.Process.Pid && p.State != "Z" && !p.Ending
	})
	if s.test == nil {
		if cut {
			// It has closed the channel and lives on, where no test can begin or end.
			s.abort(nil)
		} else if limit, _ := overTime(s.job.Kata.Limits.Seconds, s.slow, s.spent()); limit != nil {
			s.late = fmt.Sprintf("it had not come to a test after %.0f s of rest and %.0f s of processor time", limit.Rest, limit.CPU)
			endAll(s.cmd.Process.Pid)
		}
		return
	}
	s.measure()
	limits := s.job.Kata.Limits
	if limit, unjudged := overTime(limits.Seconds, s.slow, s.spent()); limit != nil {
		s.abort(limit)
		return
	} else if unjudged != "" {
		s.unjudge(unjudged)
		return
	}
	if n := len(processes); n > limits.Processes {
		s.abort(&evidence.Limit{Kind: "processes", Bound: int64(limits.Processes), Seen: int64(n), Unit: "processes"})
		return
	}
	if n := (s.out.total.Load() - s.printed) >> 20; n >= int64(limits.OutputMiB) {
		s.abort(&evidence.Limit{Kind: "output", Bound: int64(limits.OutputMiB), Seen: n, Unit: "MiB"})
		return
	}
	var resident int64
	for _, p := range processes {
		n, _ := observe.Memory(p.PID)
		resident += n
	}
	resident += s.job.Box.held(processes)
	if n := resident >> 20; n > int64(limits.MemoryMiB) {
		s.abort(&evidence.Limit{Kind: "memory", Bound: int64(limits.MemoryMiB), Seen: n, Unit: "MiB"})
		return
	}
	if cut {
		s.abort(nil)
	}
}

// abort ends the test process and all that it started, because of a limit, or
// without one because it cannot be talked to any more.
func (s *session) abort(limit *evidence.Limit) {
	var stacks []evidence.Stacks
	var partial *evidence.Deadlock
	var snapshot *evidence.Snapshot
	var stalled []evidence.Burn
	if s.meter != nil {
		stalled = s.meter.Stalled()
	}
	if limit != nil {
		s.line.judged(limit.Kind)
	}
	if limit == nil || limit.Kind == "time" {
		if a, b, err := observe.Snapshots(os.Getpid(), s.inside); err == nil {
			partial, snapshot = s.judge.Partial(a, b, evidence.Question{Channel: []string{s.channel}}), &b
		}
		stacks = s.askStacks()
	}
	s.finish(evidence.Aborted, func(t *evidence.Test) {
		t.Limit, t.Stacks, t.Partial = limit, stacks, partial
		s.standing(t, snapshot)
		if s.meter != nil && len(stalled) > 0 {
			s.busy(t).Stalled = stalled
		}
		if limit == nil {
			t.Exit = "the program closed descriptors that were not its own (3 and 4 belong to the harness)"
		}
	})
	endAll(s.cmd.Process.Pid)
}

// handle answers one event.
func (s *session) handle(e wire.Event) {
	if e.Token != s.token {
		if s.test != nil {
			s.test.Tampering = append(s.test.Tampering, "an event on the harness's channel was not the harness's")
		}
		return
	}
	switch e.Kind {
	case wire.Begin:
		if s.job.Mark != "" && e.Source != s.job.Mark {
			s.fault = "the tests' program was not built of the source that was handed in: the go command did not take the overlay (is the repository reached by a path that is not its own?)"
			endAll(s.cmd.Process.Pid)
			return
		}
		s.begin(e.Test)
		s.reply(wire.Reply{})
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
	}
}

func (s *session) reply(r wire.Reply) {
	if line, err := marshalLine(r); err == nil {
		_, _ = s.replies.Write(line) // if nobody reads it, the process has ended, and that is seen
	}
}

// begin looks at the tree as a test begins.
func (s *session) begin(name string) {
	s.outside += s.out.take()
	s.test = nil
	for _, t := range s.tests {
		if t.Name == name {
			s.test = t
		}
	}
	if s.test == nil {
		return // a test that kata.json does not list earns nothing
	}
	s.starts.take()
	s.own = map[int]bool{}
	s.dir.unwritten()
	s.opened = nil
	s.refused, s.starved = s.cage.refused(), s.cage.starved()
	s.meter, s.counted = nil, s.dir.progress()
	s.seen = map[int]evidence.Process{}
	s.first()
	s.before = s.look()
	s.printed = s.out.total.Load()
	s.begun = time.Now()
	s.line.begin(s.cmd.Process.Pid, s.test.Name)
	s.had = s.account.Look(0)
	s.expected = nil
	s.deadlock.set(true, evidence.Question{})
}

// end looks again as it has ended.
func (s *session) end(e wire.Event) {
	if s.test == nil || s.test.Name != e.Test {
		return
	}
	s.line.mark("returned", 0, "")
	s.finish(e.Status, func(t *evidence.Test) {
		after := s.settle()
		s.line.there(after.all, os.Getpid())
		t.Stopped = e.Stopped
		t.Left = s.leftIn(after)
		if len(t.Left.Shared) < len(s.before.left(after).Shared) {
			s.missed(errors.New("others make objects in /dev/shm too"), forMemory)
		}
		s.locate(&t.Left)
		t.Left.Goroutines = s.rename(e.Goroutines)
		t.ChildFaults = after.childFaults - s.before.childFaults
		s.forget(after)
	})
}

// finish writes down what is known of the test, by whatever way it ended.
func (s *session) finish(status evidence.Status, more func(*evidence.Test)) {
	s.deadlock.set(false, evidence.Question{})
	t := s.test
	s.test, s.resting = nil, nil
	if t == nil {
		return
	}
	s.had = s.account.Look(0) // what comes until the next test begins is bounded too
	t.Status = status
	t.Seconds = time.Since(s.begun).Seconds()
	s.readSites()
	more(t)
	if processes, err := observe.Processes(os.Getpid()); err == nil && !s.asked {
		s.noteIn(processes)
	}
	// A program that forks without end may be over before anybody looks; the kernel
	// has counted.
	if bound := int64(s.job.Kata.Limits.Processes * TasksEach); t.Limit == nil && s.cage.refused() > s.refused {
		t.Limit = &evidence.Limit{Kind: "processes", Bound: bound, Seen: bound, Unit: "tasks"}
	}
	// A bound of memory that only looking keeps is over before anybody looks, too.
	if t.Limit == nil && s.cage.starved() > s.starved {
		t.Limit = &evidence.Limit{Kind: "memory", Bound: int64(s.job.Kata.Limits.MemoryMiB), Seen: int64(s.job.Kata.Limits.MemoryMiB), Unit: "MiB"}
	}
	if output := s.out.take(); !s.asked {
		t.Output = output
	}
	t.Todo = s.dir.unwritten()
	t.Races = append(t.Races, s.races()...)
	t.SharedRaces = append(t.SharedRaces, s.sharedRaces()...)
	if crashes := s.readCrashes(); !s.asked { // else they are late answers to askStacks
		t.Crashes = append(t.Crashes, crashes...)
	}
	t.Processes = s.children()
	s.line.known(t.Processes)
	t.Timeline = s.line.take()
	t.Tampering = append(t.Tampering, s.dir.broken()...)
}

// over writes down how the test process ended.
func (s *session) over(err error) {
	s.exit = s.cmd.ProcessState.String()
	if err != nil {
		s.exit = err.Error()
	}
	if s.late != "" {
		s.exit = s.late
	}
	// A test that had just begun when an earlier one was enough was ended by us: nothing
	// is known of it.
	s.line.ended(s.cmd.Process.Pid, s.cmd.ProcessState.String())
	if s.test != nil && (!s.enough || bad(*s.test)) {
		s.finish(evidence.Aborted, func(t *evidence.Test) { t.Exit = s.exit })
	}
	s.crashes = s.readCrashes()
	endAll(s.cmd.Process.Pid)
	s.outside += s.out.take()
}
