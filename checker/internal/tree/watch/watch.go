package watch

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// serials numbers the watches of this process.
var serials atomic.Uint64

// A held watch is one that this process has published.
type held struct {
	slot  int
	state state
	op    op
	site  uint64
	since int64
	paid  time.Duration // what the budget was charged with
	sleep bool          // for that time; else spin
	// see patience.go
	patient, rare bool
	rank          uint32 // patient watches of its place before it
}

// publish begins a watch on word i, if the slot is free and the budget allows.
func (t *Table) publish(i int, o op, d degree, key uint64) (held, bool) {
	if uint64(i) > wordMask {
		return held{}, false
	}
	now := t.clock()
	w := held{op: o, since: now}
	if !t.price(&w, d, key) && !t.eager {
		return held{}, false
	}
	w.site = site()
	w.state = watchState(o, t.pid, uint64(i), serials.Add(1)&serialMask)
	if !t.take(&w, i%sets*ways) {
		return held{}, false
	}
	t.site[w.slot].Store(w.site)
	t.since[w.slot].Store(now)
	t.header.held.Add(1)
	return w, true
}

// take puts the watch into one of the slots from first on.
func (t *Table) take(w *held, first int) bool {
	for w.slot = first; w.slot < first+ways; w.slot++ {
		if t.state[w.slot].CompareAndSwap(free, uint64(w.state)) {
			return true
		}
		t.reclaim(w.slot, w.since)
	}
	return false
}

// price chooses how long to hold a watch, and pays for it.
func (t *Table) price(w *held, d degree, key uint64) bool {
	if d >= patient && t.company() {
		place := &t.patient[key%places]
		w.rank = place.Load()
		w.rare = d == fresh && w.rank < rareForAll && t.rarely.Load() < int64(longestAll)
		if w.rare || t.patience.afford(w.since, 0, 0, patientAllowance) {
			place.Add(1)
			w.patient = true
			return true
		}
	}
	reserve := time.Duration(0)
	if d == spare {
		reserve = allowance / 2
	}
	w.paid, w.sleep = t.window()
	return t.glances.afford(w.since, w.paid, reserve, allowance)
}

// window chooses how long to glance. A spin is long enough for a process
// on another processor; a sleep lets the processes run that share this one, and
// those that start a little later.
func (t *Table) window() (d time.Duration, sleep bool) {
	if rand.Uint32N(12) == 0 {
		return time.Duration(200+rand.Uint32N(400)) * time.Microsecond, true
	}
	return time.Duration(10+rand.Uint32N(20)) * time.Microsecond, false
}

const glanceAtMost = 30 * time.Microsecond // without a sleep

// hold keeps the watch up for its time, or until somebody has met it.
func (t *Table) hold(w held) {
	now := w.since
	word := &t.state[w.slot]
	switch {
	case w.patient:
		t.await(w)
		if took := t.clock() - w.since; w.rare {
			t.rarely.Add(took)
		} else {
			t.patience.charge(time.Duration(took))
		}
		return
	case w.sleep:
		time.Sleep(w.paid)
		now = t.clock()
	default:
		for end := now + int64(w.paid); now < end && word.Load() == uint64(w.state); now = t.clock() {
		}
	}
	if more := time.Duration(now-w.since) - w.paid; more > 0 {
		t.glances.charge(more)
	}
}

// withdraw ends the watch. If it was met, it writes this process's half.
func (t *Table) withdraw(w held) {
	word := &t.state[w.slot]
	if word.CompareAndSwap(uint64(w.state), free) {
		return
	}
	t.write(w.slot, 0, w.op)
	t.complete(w.slot, watcherDone, func(s state) bool {
		return s.phase() == claimed && s.watcher() == t.pid && (s^w.state)&serialMask == 0
	}, w.state.word())
}

// meet handles a look at the slots of word i before or after op o on it, if one of
// them is taken.
func (t *Table) meet(i int, o op) {
	for slot := i % sets * ways; slot < i%sets*ways+ways; slot++ {
		now := state(t.state[slot].Load())
		if now.phase() == watching && now.word() == uint64(i) && (now.watchWrite() || o.writes()) {
			t.claim(slot, now, i, o)
		}
	}
}

// claim makes a race of the watch now and op o.
func (t *Table) claim(slot int, now state, i int, o op) {
	// The site may be that of an earlier watch, since it is written after the
	// state. Then this is decided again by complete, or one sample is lost.
	here := site()
	if t.knows(pair(t.site[slot].Load(), here)) {
		return
	}
	mine := now.claim(o, t.pid)
	if !t.state[slot].CompareAndSwap(uint64(now), uint64(mine)) {
		return
	}
	t.other[slot].Store(here)
	t.write(slot, 1, o)
	t.complete(slot, otherDone, func(s state) bool {
		return s&^watcherDone == mine
	}, uint64(i))
}

// complete marks one half as complete. The second to do so reports the race and
// frees the slot. ours says whether a state is still that of the race; it is
// not if the slot was reclaimed meanwhile.
func (t *Table) complete(slot int, half state, ours func(state) bool, word uint64) {
	for {
		s := state(t.state[slot].Load())
		if !ours(s) {
			return
		}
		if s|half == s|half|watcherDone|otherDone {
			t.report(slot, s, word)
			return
		}
		if t.state[slot].CompareAndSwap(uint64(s), uint64(s|half)) {
			return
		}
	}
}
