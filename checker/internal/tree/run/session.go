package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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

	job      Job
	dir      *private
	tests    []*evidence.Test
	last     *evidence.Test  // the one that ended last
	said     *wire.Sealer    // opens events
	replied  *wire.Sealer    // makes replies
	shared   [][2]int64      // parts of the record of races on shared memory that the tests had asked for
	canaries map[string]bool // those of the tests that must fail
	patched  string          // what was found of changed code
	forged   int             // lines on the channel that were not the harness's
	killed   bool            // the tree was ended by us

	cmd     *exec.Cmd
	out     *capture
	events  chan []byte
	replies *os.File
	ended   chan error // the test process has ended

	test      *evidence.Test // the one between begin and end, or nil
	begun     time.Time
	account   *observe.Account
	had       observe.Spent // by the tree as the test began
	slow      float64       // how many times slower than usual this machine is
	printed   int64         // bytes that had been printed as it began
	before    look
	untouched map[string]fs.FileInfo   // what lay in the folder for temporary files before the process began
	opened    []instrument.Site        // where the source under test opened things
	seen      map[int]evidence.Process // its child processes by ID
	own       map[int]bool             // those that are known to have run the tests' program
	line      *chronicle
	starts    *starts
	closed    bool   // the test process has closed the channel
	outside   string // what was printed between tests
	exit      string // how the test process ended
	fault     string // why nothing that it says counts
	eyes      eyes
	unseen    []string         // codes of what could not be looked for
	made      map[string]bool  // shared-memory objects that the tree has opened
	there     map[string]bool  // those that were there before the first test
	shares    bool             // others make objects in the same folder
	late      string           // why it was ended outside of any test
	excessive *evidence.Limit  // the bound that it had gone over then
	crashes   []evidence.Crash // outside of any test
	deadlock  *deadlockWatch
	expected  []int  // the processes whose deadlock the test waits for
	channel   string // the pipe of the replies, as snapshots name it
	judge     Judge
	cage      cage
	inside    observe.Inside // what is the tree's own
	refused   int64          // tasks that the kernel had refused as the test began
	starved   int64          // processes that it had ended for want of memory
	asked     bool           // the processes have been asked for their stacks, and end of that
	resting   *observe.Rest  // the processes of which the test waits to hear that they rest
	step      *time.Timer    // until the next look at them
	meter     *observe.Meter // of a test that counts its progress
	counted   uint64         // its count as it began
	metered   time.Time
}

// start1 starts one test process for the tests.
func start1(job Job, judge Judge, dir *private, cage cage, starts *starts, line *chronicle, slow float64, tests []*evidence.Test, canaries map[string]bool) (*session, error) {
	s := &session{job: job, slow: slow, starts: starts, line: line, own: map[int]bool{}, judge: judge, cage: cage, dir: dir, tests: tests, canaries: canaries, inside: observe.Inside{Folder: dir.real(), Own: job.Box != nil}, events: make(chan []byte), ended: make(chan error, 1), eyes: open(job.Box), made: map[string]bool{}}
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
	if s.untouched, err = s.eyes.files(dir.path(wire.TempDir)); err != nil {
		s.miss(forFiles)
	}
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
		"GORACE":      wire.Gorace(dir.dir),
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
		s.cmd.Dir, s.cmd.Env = work, environment(set, job.keeps)
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
	// The harness waits for its key before any code under test runs.
	held := cage.hold(s.cmd.Process.Pid, job.Kata.Limits.Processes)
	if held != nil {
		endAll(0)
		return fail(held)
	}
	_, _ = replies.Write(s.keys()) // if nobody reads it, the process has ended, and that is seen
	out.start()
	go s.read(events)
	go func() { s.ended <- s.cmd.Wait() }()
	s.account = newAccount()
	s.deadlock = watchDeadlock(judge.Dead, s.inside, line.saw)
	return s, nil
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
		case line, ok := <-events:
			if !ok {
				events, s.closed = nil, true
				continue
			}
			s.hear(line)
			if (s.job.FailFast || s.job.Climb) && slices.ContainsFunc(s.tests, func(t *evidence.Test) bool { return bad(*t) }) {
				s.enough = true
				s.kill()
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
			s.kill()
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
			return
		}
		limit, _ := overTime(s.job.Kata.Limits.Seconds, s.slow, s.spent())
		if limit != nil {
			s.late = fmt.Sprintf("it had not come to a test after %.0f s of rest and %.0f s of processor time", limit.Rest, limit.CPU)
		} else if limit = s.excess(processes); limit != nil {
			s.late = fmt.Sprintf("outside of any test it went over the limit of %s (%d %s)", limit.Kind, limit.Seen, limit.Unit)
		}
		if s.excessive = limit; limit != nil {
			s.kill()
		}
		return
	}
	s.measure()
	if limit, unjudged := overTime(s.job.Kata.Limits.Seconds, s.slow, s.spent()); limit != nil {
		s.abort(limit)
		return
	} else if unjudged != "" {
		s.unjudge(unjudged)
		return
	}
	if limit := s.excess(processes); limit != nil {
		s.abort(limit)
		return
	}
	if cut {
		s.abort(nil)
	}
}

// excess is the bound that the tree has gone over, of those that are not of time. They
// hold from the start of the test process to its end.
func (s *session) excess(processes []evidence.Process) *evidence.Limit {
	limits := s.job.Kata.Limits
	if n := len(processes); n > limits.Processes {
		return &evidence.Limit{Kind: "processes", Bound: int64(limits.Processes), Seen: int64(n), Unit: "processes"}
	}
	if n := (s.out.total.Load() - s.printed) >> 20; n >= int64(limits.OutputMiB) {
		return &evidence.Limit{Kind: "output", Bound: int64(limits.OutputMiB), Seen: n, Unit: "MiB"}
	}
	var resident int64
	for _, p := range processes {
		n, _ := observe.Memory(p.PID)
		resident += n
	}
	resident += s.job.Box.held(processes)
	if n := resident >> 20; n > int64(limits.MemoryMiB) {
		return &evidence.Limit{Kind: "memory", Bound: int64(limits.MemoryMiB), Seen: n, Unit: "MiB"}
	}
	return nil
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
	s.kill()
}

// begin looks at the tree as a test begins.
func (s *session) begin(name string) {
	s.outside += s.out.take()
	t := s.comes(name)
	if t == nil {
		return
	}
	s.test = t
	s.starts.take()
	s.own = map[int]bool{}
	s.dir.unwritten()
	s.opened = nil
	s.refused, s.starved = s.cage.refused(), s.cage.starved()
	s.meter, s.counted = nil, s.dir.progress()
	s.seen = map[int]evidence.Process{}
	s.first()
	if s.before = s.look(); s.last == nil {
		// What code under test has left before the first test begins is left in that.
		s.before.processes, s.before.files = nil, s.untouched
	}
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
		s.tampered(fmt.Sprintf("%s was said to have ended, and had not begun", e.Test))
		return
	}
	s.line.mark("returned", 0, "")
	status, unearned := s.earned(e)
	if s.job.Untrusted && s.patched == "" {
		what, err := patchedCode(s.cmd.Process.Pid)
		if err != nil && !s.gone() {
			what = "the code of the program cannot be looked at: " + err.Error()
		}
		s.patched = what
	}
	s.finish(status, func(t *evidence.Test) {
		after := s.settle()
		s.line.there(after.all, os.Getpid())
		t.Stopped, t.Unearned = e.Stopped, unearned
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
	s.last, s.printed = t, s.out.total.Load()
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
	tamper(t, s.dir.broken()...)
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
	s.after()
	s.kill()
	s.outside += s.out.take()
}
