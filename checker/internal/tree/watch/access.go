package watch

import "unsafe"

// Load reads word i, which is at p, as a plain access.
//
//go:norace
func (t *Table) Load(p *int64, i int) int64 {
	t.me.passes += plainPass
	d, key := t.due(i)
	if t.busy(i) {
		t.meet(i, read)
	}
	if d != unwatched {
		if w, ok := t.publish(i, read, d, key); ok {
			// Hold the watch after the read: if this is one half of a
			// read-modify-write, the delay also makes it go wrong.
			v := *p
			t.hold(w)
			t.withdraw(w)
			return v
		}
	}
	v := *p
	t.lookAgain(i, read)
	return v
}

// Store writes word i, which is at p, as a plain access.
//
//go:norace
func (t *Table) Store(p *int64, i int, v int64) {
	t.me.passes += plainPass
	d, key := t.due(i)
	if t.busy(i) {
		t.meet(i, write)
	}
	if d != unwatched {
		if w, ok := t.publish(i, write, d, key); ok {
			t.hold(w)
			*p = v
			t.withdraw(w)
			return
		}
	}
	*p = v
	t.lookAgain(i, write)
}

// AtomicRead looks for a watch on word i. It must be called before the read:
// after it, the word may belong to this process alone, and a watch on it be
// right.
//
//go:norace
func (t *Table) AtomicRead(i int) { t.atomicAccess(i, atomicRead) }

// AtomicWrite looks for a watch on word i. It must be called before the write:
// after it, the word may belong to another process, and a watch on it be right.
//
//go:norace
func (t *Table) AtomicWrite(i int) { t.atomicAccess(i, atomicWrite) }

//go:norace
func (t *Table) atomicAccess(i int, o op) {
	t.me.passes++
	if t.busy(i) {
		t.meet(i, o)
	}
}

// lookAgain finds the watch that was published between the first look and a
// plain access. An access under a lock is still under it here.
//
//go:norace
func (t *Table) lookAgain(i int, o op) {
	if t.busy(i) {
		t.meet(i, o)
	}
}

// busy says whether a slot of word i is taken. It uses plain loads, since it
// stands before every access; what it sees is a hint that meet confirms by a
// compare-and-swap. A missed watch is a missed sample.
//
//go:norace
//go:nosplit
func (t *Table) busy(i int) bool {
	s := (*[ways]state)(unsafe.Pointer(&t.state[uint(i)%sets*ways]))
	return s[0]|s[1]|s[2]|s[3] != free
}
