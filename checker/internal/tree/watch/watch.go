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
}

// publish begins a watch on word i, if the slot is free and the budget allows.
func (t *Table) publish(i int, o op) (held, bool) {
	if uint64(i) > wordMask {
		return held{}, false
	}
	now := t.clock()
	w := held{slot: i % slots, op: o, since: now}
	w.paid, w.sleep = t.window()
	if !t.afford(now, w.paid) && !t.eager {
		return held{}, false
	}
	w.site = site()
	w.state = watchState(o, t.pid, uint64(i), serials.Add(1)&serialMask)
	if !t.state[w.slot].CompareAndSwap(free, uint64(w.state)) {
		t.reclaim(w.slot, now)
		return held{}, false
	}
	t.site[w.slot].Store(w.site)
	t.since[w.slot].Store(now)
	t.header.held.Add(1)
	return w, true
}

// window chooses how long to hold a watch. A spin is long enough for a process
// on another processor; a sleep lets the processes run that share this one, and
// those that start a little later.
func (t *Table) window() (d time.Duration, sleep bool) {
	if !t.slept.Swap(true) || rand.Uint32N(12) == 0 {
		return time.Duration(200+rand.Uint32N(400)) * time.Microsecond, true
	}
	return time.Duration(10+rand.Uint32N(20)) * time.Microsecond, false
}

// hold keeps the watch up for its time, or until somebody has met it.
func (t *Table) hold(w held) {
	now := w.since
	if w.sleep {
		time.Sleep(w.paid)
		now = t.clock()
	} else {
		word := &t.state[w.slot]
		for end := now + int64(w.paid); now < end && word.Load() == uint64(w.state); now = t.clock() {
		}
	}
	t.charge(time.Duration(now-w.since) - w.paid)
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

// meet handles a look at a slot that is not free, before or after op o on word
// i.
func (t *Table) meet(now state, i int, o op) {
	if now.phase() != watching || now.word() != uint64(i) || !(now.watchWrite() || o.writes()) {
		return
	}
	slot := i % slots
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
