package timeline

import (
	"cmp"
	"fmt"
	"slices"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/report"
)

// A Page is one run, ready to be drawn. Its JSON form is what the page's script reads.
type Page struct {
	Kata     string `json:"kata"`
	Source   string `json:"source"`
	Seed     uint64 `json:"seed"`
	Race     bool   `json:"race"`
	Platform string `json:"platform"`
	Go       string `json:"go"`
	Kinds    []Kind `json:"kinds"`
	Begin    int    `json:"first"` // the test to show first
	Tests    []Test `json:"tests"`
}

// A Kind is what a process can be doing, as a legend tells it.
type Kind struct {
	Name   string `json:"name"`
	Letter string `json:"letter"` // stands for it where there is no colour
	Words  string `json:"words"`
}

// Kinds are in the order of evidence.DoingKinds.
var Kinds = []Kind{
	{"running", "#", "on a processor, or about to be"},
	{"stopped", "T", "stopped by a signal"},
	{"lock", "L", "waits for a lock on a file"},
	{"child", "c", "waits for the end of a child"},
	{"pipe", "p", "waits at a pipe"},
	{"socket", "s", "waits at a socket"},
	{"shared", "m", "waits for a word in shared memory"},
	{"queue", "q", "waits for a semaphore or a queue"},
	{"signal", "g", "waits for a signal"},
	{"timer", "t", "waits for a clock"},
	{"poll", "o", "waits for one of several descriptors"},
	{"inside", ".", "waits for something of its own: a channel, a lock, work"},
}

// A Test is one test of a page.
type Test struct {
	Name    string  `json:"name"`
	Status  string  `json:"status"`
	Seconds float64 `json:"seconds"` // the width of the picture
	Lanes   []Lane  `json:"lanes"`
	Holds   []Hold  `json:"holds,omitempty"`
	Marks   []Mark  `json:"marks,omitempty"`
	Pins    []Pin   `json:"pins,omitempty"`
	Graph   *Graph  `json:"graph,omitempty"`
	Looks   int     `json:"looks"`
	Dropped int     `json:"dropped,omitempty"`
	Note    string  `json:"note,omitempty"` // why there is nothing to draw
}

// A Lane is one process. The lanes are in the order of a tree, children below parents.
type Lane struct {
	PID    int      `json:"pid"`
	Parent int      `json:"parent"` // the index of its parent's lane; -1 for none
	Depth  int      `json:"depth"`
	Name   string   `json:"name"`
	Test   bool     `json:"test,omitempty"`
	Began  [2]Time  `json:"began"` // not before, not later than
	Ready  Time     `json:"ready,omitempty"`
	Ended  *[2]Time `json:"ended,omitempty"`
	Exit   string   `json:"exit,omitempty"`
	Zombie bool     `json:"zombie,omitempty"`
	Adopt  *Time    `json:"adopted,omitempty"`
	Doings []Doing  `json:"doings,omitempty"`
}

// Time is seconds since the test began.
type Time = float64

// A Doing was the same at each look from From to To.
type Doing struct {
	Kind int    `json:"k"` // an index of Kinds
	From Time   `json:"a"`
	To   Time   `json:"b"`
	What string `json:"w,omitempty"`
}

// A Hold is a lock in the hand of a process.
type Hold struct {
	Lock string `json:"lock"`
	PID  int    `json:"pid"`
	From Time   `json:"a"`
	To   Time   `json:"b"`
}

// A Mark is what happened at one moment.
type Mark struct {
	At    Time   `json:"at"`
	Kind  string `json:"kind"`
	PID   int    `json:"pid,omitempty"`
	Words string `json:"words"`
}

// New makes the page of a run. Line returns the text of a line of a source file, "" if
// there is none; it may be nil.
func New(run evidence.Run, line func(file string, line int) string) Page {
	p := Page{
		Kata: report.Printable(run.Kata), Source: report.Printable(run.Source), Seed: run.Seed, Race: run.RaceBuild,
		Platform: run.Platform, Go: run.Go, Kinds: Kinds,
	}
	if line == nil {
		line = func(string, int) string { return "" }
	}
	findings := detect.All(run)
	for _, t := range run.Tests {
		if t.Status == "" {
			continue
		}
		p.Tests = append(p.Tests, newTest(t, findings, run.Source, line))
	}
	p.Begin = p.first()
	return p
}

// Only keeps the tests of that name; it is false if there is none.
func (p *Page) Only(name string) bool {
	p.Tests = slices.DeleteFunc(p.Tests, func(t Test) bool { return t.Name != name })
	p.Begin = 0
	return len(p.Tests) > 0
}

// first is the test to look at first: the first with a finding, else that with the most
// processes.
func (p Page) first() int {
	first := 0
	for i, t := range p.Tests {
		if len(t.Pins) > 0 {
			return i
		}
		if len(t.Lanes) > len(p.Tests[first].Lanes) {
			first = i
		}
	}
	return first
}

func newTest(t evidence.Test, findings []detect.Finding, source string, line func(string, int) string) Test {
	n := Test{Name: report.Printable(t.Name), Status: string(t.Status), Seconds: t.Seconds, Lanes: []Lane{}}
	l := t.Timeline
	if l == nil {
		n.Note = "this run was saved without a timeline"
		l = &evidence.Timeline{Seconds: t.Seconds}
	}
	n.Seconds, n.Looks, n.Dropped = l.Seconds, l.Looks, l.Dropped
	n.Lanes = lanes(l)
	for _, h := range l.Holds {
		n.Holds = append(n.Holds, Hold{Lock: report.Printable(h.Lock), PID: h.PID, From: h.From, To: h.To})
	}
	slices.SortStableFunc(n.Holds, func(a, b Hold) int { return cmp.Compare(a.Lock, b.Lock) })
	for _, m := range l.Marks {
		n.Seconds = max(n.Seconds, m.At)
		n.Marks = append(n.Marks, Mark{At: m.At, Kind: report.Printable(m.Kind), PID: m.PID, Words: words(m)})
	}
	for _, f := range findings {
		if f.Test == t.Name {
			n.Pins = append(n.Pins, pin(f, l, line))
		}
	}
	n.Graph = graph(t, source, line)
	return n
}

func words(m evidence.Mark) string {
	what := report.Printable(m.What)
	switch m.Kind {
	case "returned":
		return "the test's function had returned"
	case "judged":
		return "the checker ended the test: " + what
	case "expected":
		return "the test had asked for this: " + what
	case "signal":
		return fmt.Sprintf("the checker sent %s to pid %d", what, m.PID)
	case "sent":
		return fmt.Sprintf("the test sent %s to pid %d", what, m.PID)
	}
	return report.Printable(m.Kind)
}

// lanes puts the processes into the order of a tree. A parent that was not seen is none.
func lanes(l *evidence.Timeline) []Lane {
	children := map[int][]int{} // by the index of the parent, -1 for none
	for i, life := range l.Lives {
		parent := -1
		for j, other := range l.Lives { // a number that is used again: the last before it
			if j != i && other.PID == life.Parent && other.Began.After <= life.Began.At {
				parent = j
			}
		}
		children[parent] = append(children[parent], i)
	}
	all := []Lane{}
	index := map[int][]int{} // lanes by process ID
	placed := make([]bool, len(l.Lives))
	var place func(i, parent, depth int)
	place = func(i, parent, depth int) {
		if placed[i] {
			return
		}
		placed[i] = true
		at := len(all)
		all = append(all, lane(l.Lives[i], parent, depth))
		index[l.Lives[i].PID] = append(index[l.Lives[i].PID], at)
		for _, c := range byBegin(l, children[i]) {
			place(c, at, depth+1)
		}
	}
	for _, i := range byBegin(l, children[-1]) {
		place(i, -1, 0)
	}
	for i := range l.Lives { // evidence from elsewhere may hold a circle of parents
		place(i, -1, 0)
	}
	for _, d := range l.Doings {
		kind := slices.Index(evidence.DoingKinds, d.Kind)
		if kind < 0 {
			continue
		}
		for _, i := range slices.Backward(index[d.PID]) {
			if n := &all[i]; n.Began[0] <= d.To {
				n.Doings = append(n.Doings, Doing{Kind: kind, From: d.From, To: d.To, What: report.Printable(d.What)})
				break
			}
		}
	}
	return all
}

func byBegin(l *evidence.Timeline, all []int) []int {
	slices.SortStableFunc(all, func(a, b int) int { return cmp.Compare(l.Lives[a].Began.At, l.Lives[b].Began.At) })
	return all
}

func lane(l evidence.Life, parent, depth int) Lane {
	span := func(m evidence.Moment) [2]Time {
		if m.Exact {
			return [2]Time{m.At, m.At}
		}
		return [2]Time{min(m.After, m.At), m.At}
	}
	n := Lane{
		PID: l.PID, Parent: parent, Depth: depth, Name: report.Printable(cmp.Or(l.Name, "?")), Test: l.Test,
		Began: span(l.Began), Ready: l.Ready, Exit: report.Printable(l.Exit), Zombie: l.Zombie,
	}
	if l.Ended != nil {
		at := span(*l.Ended)
		at[0] = max(at[0], n.Began[0])
		n.Ended = &at
	}
	if l.Adopt != nil {
		n.Adopt = &l.Adopt.At
	}
	return n
}
