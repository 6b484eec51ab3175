package watch

import (
	"sync/atomic"
	"time"
)

// A patient watch lasts until it was met, or until every other process that could
// meet it has had its chance: it has made some accesses since, or has worked for a
// while, or is at rest, as one that waits for the lock that is held here. So it lasts
// as long as it must on a slow or busy machine, and ends soon where nobody comes.
//
// If all others are held by patient watches of their own, or at rest, then one of them
// goes on: the one whose place was watched least often. So a process that has passed
// into new places goes on through these while the others stand where all have come
// to, and a process that passes one place again and again gives way to others.
//
// The process that makes the first access of a table waits for its relatives that are
// still starting: they often come for the same.

// A participant is a process that maps the file.
type participant struct {
	pid     atomic.Uint64
	left    atomic.Uint32 // it does not map it any more
	holding atomic.Int32  // patient watches
	rank    atomic.Uint32 // of the latest of them
	passes  uint64        // its accesses, more or less
	_       [32]byte      // one cache line each
}

const (
	participants = 64
	plainPass    = 16             // what a plain access counts for, beside an atomic one: one may spin on that
	passed       = 32 * plainPass // accesses after which a process has had its chance

	worked      = 5 * time.Millisecond   // of its processor time, after which it has had its chance too
	startWork   = 300 * time.Millisecond // of processor time, in which a process may be starting
	calm        = time.Millisecond       // how long the others must be at rest, if the place is new
	longest     = 15 * time.Millisecond  // a patient watch
	longestRare = time.Second            // one of a rare access
	longestAll  = 3 * time.Second        // all of those together
)

// others are the processes that may meet a patient watch, as it began.
type others struct {
	passes [participants]uint64
	work   [participants]int64 // processor time
}

// attach enters this process as a participant. With no room left it stays out, and
// holds no patient watches.
func (t *Table) attach() {
	t.me = &participant{}
	for i := range t.member {
		m := &t.member[i]
		old := m.pid.Load()
		if old != 0 && m.left.Load() == 0 && !dead(old) {
			continue
		}
		if m.pid.CompareAndSwap(old, t.pid) {
			m.holding.Store(0)
			m.left.Store(0)
			t.me = m
			break
		}
	}
	t.attached.Add(1)
}

func (t *Table) detach() { t.me.left.Store(1) }

// company says whether anybody else may meet a watch.
//
//go:norace
func (t *Table) company() bool {
	if t.me.pid.Load() == 0 {
		return false
	}
	if !t.waited.Load() {
		return true
	}
	for i := range t.member {
		m := &t.member[i]
		if pid := m.pid.Load(); pid != 0 && pid != t.pid && m.left.Load() == 0 {
			return true
		}
	}
	return false
}

// await holds a patient watch.
//
//go:norace
func (t *Table) await(w held) {
	word := &t.state[w.slot]
	t.me.rank.Store(w.rank)
	t.me.holding.Add(1)
	defer t.me.holding.Add(-1)
	limit, expecting := longest, !t.waited.Swap(true)
	if w.rare {
		limit = longestRare
	}
	var before others
	for i := range t.member {
		m := &t.member[i]
		before.passes[i] = m.passes
		if pid := m.pid.Load(); pid != 0 && pid != t.pid && m.left.Load() == 0 {
			before.work[i] = cpuTime(int(pid))
		}
	}
	for end := t.clock() + int64(glanceAtMost); t.clock() < end && word.Load() == uint64(w.state); {
	}
	var quiet int64 // since when nobody is awaited; or 0
	next := 1       // the round of the next look at the others
	for n := 1; word.Load() == uint64(w.state); n++ {
		now := t.clock()
		if now-w.since > int64(limit) {
			return
		}
		if n >= next {
			next = n + min(n, 4)
			switch {
			case t.awaited(&before, expecting, w.rank):
				quiet = 0
			case w.rank > 0 || quiet != 0 && now-quiet >= int64(calm):
				return
			case quiet == 0:
				quiet, next = now, n+1
			}
		}
		pause(min(time.Duration(n)*30*time.Microsecond, 500*time.Microsecond))
	}
}

// awaited says whether there is a process that may yet meet a watch of that rank.
//
//go:norace
func (t *Table) awaited(before *others, expecting bool, rank uint32) bool {
	gives := false // way to another one that is held
	for i := range t.member {
		m := &t.member[i]
		pid := m.pid.Load()
		if pid == 0 || pid == t.pid || m.left.Load() != 0 {
			continue
		}
		if m.holding.Load() > 0 {
			theirs := m.rank.Load()
			gives = gives || theirs < rank || theirs == rank && pid < t.pid
			continue
		}
		if m.passes-before.passes[i] < passed && !resting(int(pid)) && cpuTime(int(pid))-before.work[i] < int64(worked) {
			return true
		}
	}
	return gives || expecting && t.starting()
}

// starting says whether a relative of this process works that never mapped the file.
func (t *Table) starting() bool {
	for _, pid := range relatives() {
		known := false
		for i := range t.member {
			known = known || t.member[i].pid.Load() == uint64(pid)
		}
		if !known && !resting(pid) && cpuTime(pid) < int64(startWork) {
			return true
		}
	}
	return false
}
