package watch

import "strconv"

// A state is the state of one slot, in one word so that each step is one
// compare-and-swap:
//
//	free       0
//	watching   1 in the upper two bits, then
//	           write (1 bit), watcher's pid (22), word (28), serial (11)
//	claimed    2 in the upper two bits, then
//	           the watcher's half is complete (1), the other's half is (1),
//	           the other writes (1), atomically (1),
//	           watcher's pid (22), other's pid (22), unused (3), serial (11)
//
// The serial tells one watch of a process from its next one in the same slot.
//
//	free ── the watcher publishes ──> watching ── it saw nobody ──> free
//	                                     │
//	                    another access meets the watch and claims it
//	                                     V
//	      free <── both halves are there, the second one reports ── claimed
//
// Nobody ever waits for the other side. If one of the two is killed, there is
// no report, and the slot stays taken until reclaim finds that out. That it
// takes both is what makes a watch safe that a killed process left behind: the
// next owner of the lock may well meet it.
type state uint64

const (
	free     = 0
	watching = 1
	claimed  = 2

	serialMask = 1<<11 - 1
	pidMask    = 1<<22 - 1
	wordMask   = 1<<28 - 1

	watcherDone state = 1 << 61
	otherDone   state = 1 << 60
)

func watchState(op op, pid, word, serial uint64) state {
	return watching<<62 | bit(op.writes())<<61 | state(pid<<39|word<<11|serial)
}

// claim is the state after op of process pid met the watch s.
func (s state) claim(op op, pid uint64) state {
	return claimed<<62 | bit(op.writes())<<59 | bit(op.atomic())<<58 |
		state(s.watcher()<<36|pid<<14) | s&serialMask
}

func (s state) phase() int       { return int(s >> 62) }
func (s state) watchWrite() bool { return s>>61&1 == 1 }
func (s state) word() uint64     { return uint64(s>>11) & wordMask }

func (s state) watcher() uint64 {
	if s.phase() == watching {
		return uint64(s>>39) & pidMask
	}
	return uint64(s>>36) & pidMask
}

// other is the process that claimed the watch.
func (s state) other() uint64 { return uint64(s>>14) & pidMask }

func bit(b bool) state {
	if b {
		return 1
	}
	return 0
}

// An op is a kind of access.
type op uint8

const (
	read op = iota
	write
	atomicRead
	atomicWrite
)

func (o op) writes() bool { return o == write || o == atomicWrite }
func (o op) atomic() bool { return o >= atomicRead }

func (o op) String() string {
	switch o {
	case read:
		return "read"
	case write:
		return "write"
	case atomicRead:
		return "atomic read"
	case atomicWrite:
		return "atomic write"
	}
	return "op " + strconv.Itoa(int(o))
}
