package observe

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"prokata/checker/internal/evidence"
)

// A Rest follows processes that have nothing to do but to wait, from now on, until each
// has come to rest or has shown that it never will. It is what a test's mark "this must
// cost nothing" asks for.
//
// A process may first end what it is at: compute, touch memory, read, start others. What
// tells work from waiting is what it does. Who only waits takes processor time or wakes,
// again and again, and in between nothing changes: it touches no new memory, reads and
// writes nothing to speak of, and starts nobody. A span in which something did is
// forgotten, and the next one begins.
type Rest struct {
	spin    time.Duration
	waiters []*waiter
}

type waiter struct {
	*gauge
	began time.Time
	held  float64 // of the spans before this one
	still time.Time
	done  bool
	burn  evidence.Burn
	mark  deeds  // as the span began
	next  uint64 // at so many wakes it is looked at more closely
	pulse pulse
}

// NewRest begins to follow the processes, on a machine that is so many times slower than
// usual.
func NewRest(pids []int, slow float64) *Rest {
	r := &Rest{spin: min(time.Duration(max(1, slow)*float64(spin)), spinSlow)}
	for _, pid := range pids {
		w := &waiter{began: time.Now(), still: time.Now()}
		w.span(pid)
		r.waiters = append(r.waiters, w)
	}
	return r
}

// span begins a new span.
func (w *waiter) span(pid int) {
	if w.gauge != nil {
		w.held += w.gauge.burn().Held
	}
	w.gauge = newGauge(pid)
	w.mark, w.next = w.deeds(), manyPolls
}

// Look looks at each, and tells whether more is to be seen: not if one never comes to
// rest. It should be called every Step.
func (r *Rest) Look() (open bool) {
	for _, w := range r.waiters {
		if w.done {
			continue
		}
		r.look(w)
		if w.done && !w.burn.Rested {
			return false
		}
		open = open || !w.done
	}
	return open
}

// Burns returns what each process has taken since the last time that something changed.
func (r *Rest) Burns() []evidence.Burn {
	burns := make([]evidence.Burn, len(r.waiters))
	for i, w := range r.waiters {
		burns[i] = w.burn
	}
	return burns
}

func (r *Rest) look(w *waiter) {
	moved, timed := w.gauge.look()
	now := time.Now()
	if moved {
		w.still = now
	}
	bound := calm
	if timed {
		bound = calmTimer
	}
	w.burn = w.gauge.burn()
	b := &w.burn
	spins := b.CPU >= r.spin.Seconds()
	looks := b.Wakeups >= polls && b.Own() >= pollTime.Seconds() && float64(b.Wakeups) >= 10*b.Own()
	switch {
	case w.ended || now.Sub(w.still) >= bound && w.asleep():
		b.Rested, w.done = true, true
	case spins || looks || b.Wakeups >= w.next:
		w.next = b.Wakeups + manyPolls/4
		d := w.deeds()
		sleeps, brief := w.sleeps(d, *b)
		changed, alike := d.since(w.mark, *b), d.alike(w.mark, sleeps)
		polls := brief && (sleeps >= manyPolls || sleeps >= polls && b.Own() >= pollTime.Seconds() && float64(sleeps) >= 10*b.Own())
		w.done = !changed && (spins || polls) || alike && brief && sleeps >= exchanges
		if !w.done && (!alike || changed && (spins || sleeps < manyPolls)) {
			w.span(w.pid)
		}
	case now.Sub(w.began).Seconds()-w.held-b.Held > patient.Seconds() && b.CPU < 0.5*b.Own():
		b.Rested, w.done = true, true
	}
}

// sleeps counts how often the process has gone to sleep in this span, and tells whether
// it only runs for a moment in between. A thread that lost its processor woke too, but
// had not slept; and beside one that computes another may sleep, as the Go runtime's
// monitor does.
func (w *waiter) sleeps(d deeds, b evidence.Burn) (total uint64, brief bool) {
	brief = true
	for tid, took := range w.taken {
		slept := uint64(max(0, d.sleeps[tid]-w.mark.sleeps[tid]))
		total += slept
		brief = brief && (seconds(took.run) < 0.1*b.CPU || seconds(took.run) < glance.Seconds()*float64(slept))
	}
	return total, brief
}

// asleep tells whether every thread sleeps, and none of them for a page or a disk, which
// is the machine's doing.
func (w *waiter) asleep() bool {
	in, _ := threadIn(w.pid, "DR", nil)
	return !in
}

// threadIn tells whether a thread of a process is in one of the states, which are letters
// of /proc/PID/task/TID/stat. It returns the buffer for the next read.
func threadIn(pid int, states string, buf []byte) (bool, []byte) {
	dir := "/proc/" + strconv.Itoa(pid) + "/task/"
	tids, _ := numbers(dir) // none: it has ended
	for _, tid := range tids {
		var err error
		if buf, err = readLine(dir+strconv.Itoa(tid)+"/stat", buf); err != nil {
			continue
		}
		if s, err := parseStat(buf); err == nil && strings.Contains(states, s.state) {
			return true, buf
		}
	}
	return false, buf
}

// Deeds are what a process has done so far that leaves a trace.
type deeds struct {
	faults        uint64      // pages touched for the first time
	read, written uint64      // bytes
	reads, writes uint64      // calls
	sleeps        map[int]int // by thread
	pages         int
	children      []int
}

func (w *waiter) deeds() (d deeds) {
	dir := "/proc/" + strconv.Itoa(w.pid) + "/"
	if b, err := readLine(dir+"stat", nil); err == nil {
		s, _ := parseStat(b)
		d.faults = s.faults
	}
	if b, err := read(dir+"io", nil); err == nil {
		number := func(name string) uint64 { return uint64(max(0, decimal(field(b, name)))) }
		d.read, d.written, d.reads, d.writes = number("rchar"), number("wchar"), number("syscr"), number("syscw")
	}
	if b, err := readLine(dir+"statm", nil); err == nil {
		if f := strings.Fields(string(b)); len(f) > 1 {
			d.pages, _ = strconv.Atoi(f[1])
		}
	}
	tids, _ := numbers(dir + "task")
	d.sleeps = make(map[int]int, len(tids))
	for _, tid := range tids {
		if b, err := read(dir+"task/"+strconv.Itoa(tid)+"/status", nil); err == nil {
			d.sleeps[tid] = max(0, decimal(field(b, "voluntary_ctxt_switches")))
		}
	}
	d.children = w.pulse.below(w.pid, nil)
	slices.Sort(d.children)
	return d
}

// alike tells whether nothing was done that so many sleeps in which a few words were
// said and heard do not explain.
func (d deeds) alike(before deeds, sleeps uint64) bool {
	return float64(d.faults-before.faults) <= some+float64(sleeps)/5 &&
		d.written-before.written <= line*(d.writes-before.writes) &&
		d.read-before.read <= line*(d.reads-before.reads) &&
		slices.Equal(d.children, before.children)
}

const (
	some  = 20         // pages that a runtime touches by the way
	often = 200        // pages a second of processor time: who works on memory touches more
	word  = 8          // bytes that a runtime writes and reads to wake a thread of its own
	line  = 256        // bytes: who asks again and again hears a short answer
	mib   = 1 << 20    // of memory
	page  = 4096       // at the least
	large = mib / page // pages
)

// since tells whether something was done since before, while a process took so much.
func (d deeds) since(before deeds, b evidence.Burn) bool {
	reads, writes := d.reads-before.reads, d.writes-before.writes
	grown := float64(d.pages - before.pages)
	asked := float64(b.Wakeups) / 5 // pages that timers and messages fill by and by
	return float64(d.faults-before.faults) > some+max(b.CPU*often, float64(b.Wakeups)/2) ||
		d.written-before.written > word*writes ||
		d.read-before.read > line*reads ||
		grown > large+asked || grown < -large ||
		!slices.Equal(d.children, before.children)
}
