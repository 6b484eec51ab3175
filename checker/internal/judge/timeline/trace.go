package timeline

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// Trace writes the page in the Trace Event Format that chrome://tracing and
// ui.perfetto.dev read: a test is a process there, and each of its processes a thread.
// The tests stand one after the other. Times are microseconds.
//
// Source: "Trace Event Format" (Google, 2016), and how Perfetto reads it: threads are
// named by their ID alone, so none is given twice; the slices of a thread lie inside
// each other; what never ended is begun (B) and not ended.
func (p Page) Trace(w io.Writer) error {
	events := []event{}
	var base Time
	thread := 0
	for n, t := range p.Tests {
		events = append(events, t.trace(n+1, &thread, base)...)
		base += t.Seconds + 0.01
	}
	return json.NewEncoder(w).Encode(struct {
		Events []event           `json:"traceEvents"`
		Unit   string            `json:"displayTimeUnit"`
		Other  map[string]string `json:"otherData"`
	}{events, "ms", map[string]string{"kata": p.Kata, "source": p.Source, "platform": p.Platform}})
}

// An event is one of the trace.
type event struct {
	Name  string         `json:"name"`
	Cat   string         `json:"cat,omitempty"`
	Phase string         `json:"ph"`
	At    int64          `json:"ts"`
	Long  *int64         `json:"dur,omitempty"`
	PID   int            `json:"pid"`
	TID   int            `json:"tid"`
	ID    int            `json:"id,omitempty"`
	Bind  string         `json:"bp,omitempty"`
	Scope string         `json:"s,omitempty"`
	Args  map[string]any `json:"args,omitempty"`
}

// trace makes the events of one test. Thread is the last number that was given to one.
func (t Test) trace(pid int, thread *int, base Time) (all []event) {
	us := func(s Time) int64 { return int64(math.Round((base + s) * 1e6)) }
	add := func(e event) {
		e.PID = pid
		all = append(all, e)
	}
	named := func(what string, tid int, name string) {
		add(event{Name: what, Phase: "M", TID: tid, Args: map[string]any{"name": name}})
	}
	slice := func(tid int, name, cat string, from, to int64, args map[string]any) {
		long := max(0, to-from)
		add(event{Name: name, Cat: cat, Phase: "X", At: from, Long: &long, TID: tid, Args: args})
	}
	next := func(name string) int {
		*thread++
		named("thread_name", *thread, name)
		return *thread
	}
	whole := next("the test as a whole")
	named("process_name", whole, t.Name)
	slice(whole, t.Name, "test", us(0), us(t.Seconds), map[string]any{"status": t.Status})

	first := *thread + 1 // that of the first lane
	lanes := map[int]int{}
	for i, l := range t.Lanes {
		tid := next(fmt.Sprintf("%d %s", l.PID, l.Name))
		lanes[l.PID] = tid
		from, to := us(l.Began[1]), us(max(t.Seconds, l.Began[1]))
		args := map[string]any{"pid": l.PID, "started not before": l.Began[0]}
		if l.Exit != "" {
			args["exit"] = l.Exit
		}
		if l.Ended != nil {
			to = us(max(l.Ended[1], l.Began[1]))
			slice(tid, l.Name, "process", from, to, args)
		} else {
			add(event{Name: l.Name, Cat: "process", Phase: "B", At: from, TID: tid, Args: args})
		}
		at := from
		for _, d := range l.Doings { // one after the other, inside the process
			a, b := min(max(us(d.From), at), to), min(max(us(d.To), at), to)
			slice(tid, Kinds[d.Kind].Name, "sampled", a, b, map[string]any{"what": d.What})
			at = b
		}
		if l.Parent < 0 {
			continue
		}
		// An arrow lies inside a slice at both of its ends.
		above := t.Lanes[l.Parent]
		leaves := max(min(from, us(t.end(above))), us(above.Began[1]))
		if leaves <= from {
			add(event{Name: "start", Cat: "start", Phase: "s", At: leaves, TID: first + l.Parent, ID: first + i})
			add(event{Name: "start", Cat: "start", Phase: "f", Bind: "e", At: from, TID: tid, ID: first + i})
		}
	}
	held := map[string]int{}
	busy := map[int]int64{} // by thread: until when
	for _, h := range t.Holds {
		key := h.Lock
		tid := held[key]
		if tid == 0 || busy[tid] > us(h.From) { // several hold it: a thread each
			tid = next("lock " + short(h.Lock))
			held[key] = tid
		}
		slice(tid, fmt.Sprintf("held by %d", h.PID), "lock", us(h.From), us(h.To), map[string]any{"lock": h.Lock})
		busy[tid] = us(h.To)
	}
	for _, m := range t.Marks {
		tid := whole
		if l := lanes[m.PID]; l != 0 {
			tid = l
		}
		add(event{Name: m.Words, Cat: m.Kind, Phase: "i", Scope: "t", At: us(m.At), TID: tid})
	}
	for _, p := range t.Pins {
		tid := whole
		if l := lanes[p.PID]; l != 0 {
			tid = l
		}
		add(event{Name: p.Code + ": " + p.Message, Cat: "finding", Phase: "i", Scope: "t", At: us(p.At), TID: tid, Args: map[string]any{"place": p.Place, "exact": p.Exact}})
	}
	return all
}

func (t Test) end(l Lane) Time {
	if l.Ended != nil {
		return max(l.Ended[1], l.Began[1])
	}
	return max(t.Seconds, l.Began[1])
}
