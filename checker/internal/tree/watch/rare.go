package watch

import "math/rand/v2"

// Most accesses of a program come from few places, again and again, and the mistake
// sits in a place that is passed once: the first test of a flag, or the one read that
// forgot the lock. So the accesses are counted by place. A place is the way to an
// access, by its innermost return addresses: a method that wraps an access has as
// many places as callers.
//
// The first accesses of a place are watched with patience (patience.go), and one of
// those after them now and then; the others about once in eight of the accesses so
// far, for a glance. A process that comes later begins to map the file: then every
// place is as good as new.

// A place counts the accesses by one way, of this process. Threads may lose counts of
// each other's, and a place may lose its count to another: it only times the samples.
type place struct {
	key   uint64
	left  uint32 // accesses until the next watch
	total uint32 // accesses so far
	next  uint32 // accesses at which the next watch is a patient one
}

const (
	places = 1 << 10
	probes = 4
	// maxGap bounds the number of accesses between two watches of a place, so that
	// a program's later phases are sampled too.
	maxGap = 4096
	// rare is how many accesses of a place are rare, and thinning how much further
	// apart each patient watch after those is.
	rare     = 2
	thinning = 8
	// rareForAll is how many patient watches of all processes a place has before they
	// must leave time for those at other places.
	rareForAll = 4
)

// A degree says how closely an access is to be watched.
type degree uint8

const (
	unwatched degree = iota
	spare            // for a glance, if there is time to spare
	glance
	patient
	fresh // patient, at a place that is new
)

// due says how this access to word i is to be watched, and by which key its place
// goes, which is the same in every process of a program.
//
//go:norace
func (t *Table) due(i int) (d degree, key uint64) {
	if now := t.attached.Load(); now != t.known {
		t.known = now
		t.rewind()
	}
	p := t.place()
	n := p.total
	key = p.key
	switch {
	case t.eager:
		return glance, key
	case p.left > 0:
		p.left--
		if w := &t.touched[uint(i)%uint(len(t.touched))]; !*w {
			*w = true
			return spare, key
		}
		return unwatched, key
	case n < rare:
		p.total = n + 1
		p.next = thinning
		return fresh, key
	}
	// About one in eight of the accesses so far: many watches while there
	// are few accesses, since short programs are the rule here.
	p.left = rand.Uint32N(min(n/4+4, 2*maxGap))
	p.total = min(n+p.left+1, 1<<30)
	if n < p.next {
		return glance, key
	}
	p.next = min(n*thinning, 1<<31)
	return patient, key
}

// place returns the count of the way by which this access came.
//
//go:norace
func (t *Table) place() *place {
	var pcs [depth]uintptr
	n := callers(&pcs)
	key := uint64(n)
	for _, pc := range pcs[:n] {
		key = (key ^ uint64(pc)) * 0x9e3779b97f4a7c15
		key ^= key >> 29
	}
	return t.placeOf(key | 1) // not that of an empty one
}

//go:norace
func (t *Table) placeOf(key uint64) *place {
	first := uint(key>>32) % places
	for n := range uint(probes) {
		p := &t.places[(first+n)%places]
		if p.key == key {
			return p
		}
		if p.key == 0 {
			p.key = key
			return p
		}
	}
	t.places[first] = place{key: key}
	return &t.places[first]
}

// rewind makes every place a new one.
//
//go:norace
func (t *Table) rewind() {
	t.places = [places]place{}
	t.touched = [len(t.touched)]bool{}
}
