package detect

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"prokata/checker/internal/evidence"
)

var update = flag.Bool("update", false, "rewrite what the recorded snapshots are expected to give")

// A recording is a snapshot with what it must give.
type recording struct {
	Question Question           `json:"question,omitzero"`
	Alive    string             `json:"alive,omitempty"` // why it is no deadlock
	Dead     *evidence.Deadlock `json:"dead,omitempty"`
	Partial  *evidence.Deadlock `json:"partial,omitempty"` // of a tree that lives
	Snapshot evidence.Snapshot  `json:"snapshot"`
}

const recordings = "../../../../testdata/evidence/deadlock/*.json"

// TestGolden replays snapshots that package observe has recorded (its
// TestRecord says how).
func TestGolden(t *testing.T) {
	files, err := filepath.Glob(recordings)
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var r recording
			if err := json.Unmarshal(text, &r); err != nil {
				t.Fatal(err)
			}
			r.Dead, r.Alive = Dead(r.Snapshot, r.Snapshot, r.Question)
			r.Partial = nil
			if r.Dead == nil {
				r.Partial = Partial(r.Snapshot, r.Snapshot, r.Question)
			}
			got, err := json.MarshalIndent(r, "", "\t")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !bytes.Equal(got, text) {
				t.Errorf("it gives dead %+v, alive %q, partial %+v; accept it with -update", r.Dead, r.Alive, r.Partial)
			}
			if dead := strings.HasPrefix(filepath.Base(file), "dead"); dead != (r.Dead != nil) {
				t.Errorf("dead is %v", r.Dead != nil)
			}
		})
	}
}

// pair is two processes below 1: 10 waits for its child 11, which waits for a
// pipe that 10 alone can write to.
func pair() evidence.Snapshot {
	asleep := func(tid int, call string, args ...uint64) []evidence.Thread {
		return []evidence.Thread{{TID: tid, State: "S", Switches: 5, Call: call, Args: append(args, make([]uint64, 6-len(args))...)}}
	}
	return evidence.Snapshot{
		Root: 1,
		Processes: []evidence.Node{
			{
				Process: evidence.Process{PID: 10, Parent: 1, Name: "parent", State: "S", Start: 100},
				Go:      true, Threads: asleep(10, "wait4", 11),
				Handles: []evidence.Handle{{FD: 4, Object: "pipe:[1]", Write: true}},
			},
			{
				Process: evidence.Process{PID: 11, Parent: 10, Name: "child", State: "S", Start: 101},
				Go:      true, Threads: asleep(11, "read", 3),
				Handles: []evidence.Handle{{FD: 3, Object: "pipe:[1]", Read: true}},
			},
		},
		Objects: []evidence.Object{{ID: "pipe:[1]", Kind: "pipe"}},
	}
}

func TestDead(t *testing.T) {
	for _, row := range []struct {
		reason   string
		change   func(a, b *evidence.Snapshot)
		question Question
		alive    string // "" if it is dead
		circle   []int
	}{
		{"each waits for the other", func(a, b *evidence.Snapshot) {}, Question{}, "", []int{10, 11}},
		{"it ran between the snapshots", func(a, b *evidence.Snapshot) { b.Processes[1].Threads[0].Switches++ }, Question{}, `pid 11 "child" moved`, nil},
		{"a process appeared", func(a, b *evidence.Snapshot) { a.Processes = a.Processes[:1] }, Question{}, `pid 10 "parent": it waits for a child that is not there`, nil},
		{"a thread runs", func(a, b *evidence.Snapshot) {
			a.Processes[0].Threads[0].State, b.Processes[0].Threads[0].State = "R", "R"
		}, Question{}, `pid 10 "parent": it runs`, nil},
		{"it waits for a disk", func(a, b *evidence.Snapshot) {
			a.Processes[1].Threads[0].State, b.Processes[1].Threads[0].State = "D", "D"
		}, Question{}, `pid 11 "child": it runs`, nil},
		{"somebody outside can write", func(a, b *evidence.Snapshot) { a.Objects[0].Writers = []int{7} }, Question{}, `pid 11 "child": pid 7 outside holds the other end of pipe:[1]`, nil},
		{"the pipe is the harness's own", func(a, b *evidence.Snapshot) { a.Objects[0].Writers = []int{7} }, Question{Channel: []string{"pipe:[1]"}}, "", nil},
		{"the child was killed", func(a, b *evidence.Snapshot) { a.Processes[1].Ending, b.Processes[1].Ending = true, true }, Question{}, `pid 11 "child": it is being ended`, nil},
		{"the supervisor has stopped it", func(a, b *evidence.Snapshot) {
			a.Processes[1].Threads[0].State, b.Processes[1].Threads[0].State = "T", "T"
		}, Question{Held: []int{11}}, `pid 11 "child": it will be continued`, nil},
		{"somebody else has stopped it", func(a, b *evidence.Snapshot) {
			a.Processes[1].Threads[0].State, b.Processes[1].Threads[0].State = "T", "T"
		}, Question{}, `pid 11 "child": it was stopped, and another program can continue it`, nil},
		{"it was stopped, and its number means nothing to others", func(a, b *evidence.Snapshot) {
			for _, s := range []*evidence.Snapshot{a, b} {
				s.Processes[1].Threads[0].State, s.Processes[1].Inner = "T", []int{11, 2}
			}
		}, Question{}, "", nil},
		{"it has asked for a message", func(a, b *evidence.Snapshot) {
			a.Processes[1].Caught, b.Processes[1].Caught = 1<<9, 1<<9
		}, Question{}, `pid 11 "child": it has asked for SIGUSR1, and another program can send that`, nil},
		{"it would hear that it shall end, beside what it waits for", func(a, b *evidence.Snapshot) {
			a.Processes[1].Caught, b.Processes[1].Caught = 1<<14, 1<<14
		}, Question{}, "", nil},
		{"it waits to be told that it shall end", func(a, b *evidence.Snapshot) {
			for _, s := range []*evidence.Snapshot{a, b} {
				s.Processes[1].Caught, s.Processes[1].Threads[0].Call = 1<<14, "pause"
			}
		}, Question{}, `pid 11 "child": it waits for SIGTERM, and another program can send that`, nil},
		{"it waits for an alarm that is not set", func(a, b *evidence.Snapshot) {
			for _, s := range []*evidence.Snapshot{a, b} {
				s.Processes[1].Caught, s.Processes[1].Threads[0].Call = 1<<13, "pause"
			}
		}, Question{}, "", nil},
		{"it has set an alarm", func(a, b *evidence.Snapshot) {
			a.Processes[1].Doubts, b.Processes[1].Doubts = []string{"it has set an alarm"}, []string{"it has set an alarm"}
		}, Question{}, `pid 11 "child": it has set an alarm`, nil},
		{"a FIFO that others can open", func(a, b *evidence.Snapshot) {
			a.Objects[0].Stranger, b.Objects[0].Stranger = true, true
		}, Question{}, `pid 11 "child": another program can reach pipe:[1]`, nil},
		{"a call with a timeout", func(a, b *evidence.Snapshot) {
			for _, s := range []*evidence.Snapshot{a, b} {
				s.Processes[1].Threads[0].Call = "epoll_pwait"
				s.Processes[1].Threads[0].Args = []uint64{3, 0, 128, 3600000}
			}
		}, Question{}, `pid 11 "child": epoll_pwait may end by itself`, nil},
		{"a call that nobody knows", func(a, b *evidence.Snapshot) {
			for _, s := range []*evidence.Snapshot{a, b} {
				s.Processes[1].Threads[0].Call = "call 425"
			}
		}, Question{}, `pid 11 "child": call 425 may end by itself`, nil},
		{"the test process has ended", func(a, b *evidence.Snapshot) { b.Processes[0].State = "Z" }, Question{}, `pid 10 "parent" has ended`, nil},
		{"the child alone, and its parent may do something", func(a, b *evidence.Snapshot) {
			b.Processes[0].Threads[0].Switches++
		}, Question{Only: []int{11}}, `pid 10 "parent" moved`, nil},
		{"the child alone, and its parent waits for the verdict", func(a, b *evidence.Snapshot) {
			b.Processes[0].Threads[0].Switches++
		}, Question{Only: []int{11}, Assume: []int{10}}, "", nil},
	} {
		t.Run(row.reason, func(t *testing.T) {
			a, b := pair(), pair()
			row.change(&a, &b)
			d, alive := Dead(a, b, row.question)
			if alive != row.alive || (d != nil) != (row.alive == "") {
				t.Fatalf("got %+v, %q, want %q", d, alive, row.alive)
			}
			if d != nil && row.circle != nil && !slices.Equal(d.Circle, row.circle) {
				t.Errorf("circle is %v, want %v", d.Circle, row.circle)
			}
		})
	}
}

func TestPartial(t *testing.T) {
	s := pair()
	s.Processes = append(s.Processes, evidence.Node{
		Process: evidence.Process{PID: 12, Parent: 10, Name: "busy", State: "R", Start: 102},
		Threads: []evidence.Thread{{TID: 12, State: "R"}},
	})
	if d, _ := Dead(s, s, Question{}); d != nil {
		t.Errorf("dead beside a live process: %+v", d)
	}
	d := Partial(s, s, Question{})
	if d == nil || len(d.Waits) != 2 || !slices.Equal(d.Circle, []int{10, 11}) {
		t.Errorf("partial is %+v", d)
	}
}

func TestBusy(t *testing.T) {
	spins := evidence.Burn{PID: 10, Wall: 3, CPU: 1, Delay: 1.8, Wakeups: 900}
	looks := evidence.Burn{PID: 11, Wall: 3, CPU: 0.03, Delay: 2, Wakeups: 2500}
	rests := evidence.Burn{PID: 12, Wall: 3, CPU: 0.001, Wakeups: 4}
	limit := &evidence.Limit{Kind: "time", Bound: 10, Unit: "s"}
	for _, row := range []struct {
		reason string
		test   evidence.Test
		want   []string
	}{
		{"it spun while it had nothing to do", evidence.Test{Busy: &evidence.Busy{Waiting: []evidence.Burn{rests, spins}}}, []string{"busy-wait"}},
		{"it looked again and again", evidence.Test{Busy: &evidence.Busy{Waiting: []evidence.Burn{looks}}}, []string{"busy-wait"}},
		{"it slept", evidence.Test{Busy: &evidence.Busy{Waiting: []evidence.Burn{rests}}}, nil},
		{"two were busy, nothing was done", evidence.Test{Limit: limit, Busy: &evidence.Busy{Stalled: []evidence.Burn{spins, looks, rests}}}, []string{"livelock"}},
		{"one spun, nothing was done", evidence.Test{Limit: limit, Busy: &evidence.Busy{Stalled: []evidence.Burn{spins, rests}}}, []string{"busy-wait"}},
		{"there was progress a moment ago", evidence.Test{Limit: limit, Busy: &evidence.Busy{Stalled: []evidence.Burn{{PID: 10, Wall: 0.5, CPU: 0.5}, {PID: 11, Wall: 0.5, CPU: 0.5}}}}, nil},
		{"the test ended in time", evidence.Test{Busy: &evidence.Busy{Stalled: []evidence.Burn{spins, looks}}}, nil},
	} {
		t.Run(row.reason, func(t *testing.T) {
			run := evidence.Run{Tests: []evidence.Test{row.test}}
			var got []string
			for _, f := range append(busyWait.Detect(run), livelock.Detect(run)...) {
				got = append(got, f.Code)
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
