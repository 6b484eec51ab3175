package watch

import (
	"math/rand/v2"
	"unsafe"
)

// Load reads word i, which is at p, as a plain access.
//
//go:norace
func (t *Table) Load(p *int64, i int) int64 {
	now, due := t.look(i)
	if now != free {
		t.meet(now, i, read)
	} else if due {
		if w, ok := t.publish(i, read); ok {
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
	now, due := t.look(i)
	if now != free {
		t.meet(now, i, write)
	} else if due {
		if w, ok := t.publish(i, write); ok {
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
	if now := t.peek(i); now != free {
		t.meet(now, i, o)
	}
}

// lookAgain finds the watch that was published between the first look and a
// plain access. An access under a lock is still under it here.
//
//go:norace
func (t *Table) lookAgain(i int, o op) {
	if now := t.peek(i); now != free {
		t.meet(now, i, o)
	}
}

// peek returns the state of the slot for word i. It is a plain load, since it
// stands before every access; what it sees is a hint that meet confirms by a
// compare-and-swap. A missed watch is a missed sample.
//
//go:norace
//go:nosplit
func (t *Table) peek(i int) state {
	return *(*state)(unsafe.Pointer(&t.state[uint(i)%slots]))
}

// A tick counts the accesses to the words of one slot by this process. Threads
// may lose counts of each other's; it only times the samples.
type tick struct {
	left  uint32 // accesses until the next watch
	total uint32 // accesses so far
}

// maxGap bounds the number of accesses between two watches of a slot, so that
// a program's later phases are sampled too.
const maxGap = 4096

// look is peek, and says whether this access is to be watched.
//
//go:norace
func (t *Table) look(i int) (now state, due bool) {
	k := &t.tick[uint(i)%slots]
	if k.left > 0 && !t.eager {
		k.left--
		return t.peek(i), false
	}
	// About one in eight of the accesses so far: many watches while there
	// are few accesses, since short programs are the rule here.
	gap := min(k.total/4+4, 2*maxGap)
	k.left = rand.Uint32N(gap)
	k.total = min(k.total+k.left+1, 1<<30)
	return t.peek(i), true
}

// rewind sets the counters so that the first watch comes among the first
// accesses.
func (t *Table) rewind() {
	for i := range t.tick {
		t.tick[i].left = rand.Uint32N(4)
	}
}
