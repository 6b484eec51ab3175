package observe

import (
	"math"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of processor time in /proc/PID/stat. It is 10 ms on every
// architecture that Go runs on.
const tick = 10 * time.Millisecond

// An Account follows what a tree of processes does with its time. It is exact where
// the kernel is: processor time is what the scheduler has counted, and a span counts
// as rest only if the scheduler says of each thread that it neither ran nor waited for
// a processor. It counts a wait when it is over; one that goes on, be it for a processor
// or for a quota, is seen by the thread's state.
type Account struct {
	root    int
	last    time.Time
	cpu     time.Duration // the most that was ever seen
	threads map[int]usage // by thread: what it had taken at the last look
	round   int           // of looks
	read    map[int]int   // by thread: the round in which it was read
	pids    []int
	starts  []uint64
	faults  uint64
	machine machine
	spent   Spent
	buf     []byte
}

// NewAccount begins to follow the tree below root, which must be this process.
func NewAccount(root int) *Account {
	a := &Account{root: root, threads: map[int]usage{}, read: map[int]int{}, last: time.Now(), machine: readMachine(root)}
	if all, err := everybody(); err == nil {
		below, _ := descendants(root, all)
		a.members(below)
		a.cpu = processorTime(below)
		a.delays(math.MaxInt64)
	}
	return a
}

// Spent is what was counted so far.
func (a *Account) Spent() Spent { return a.spent }

// Look adds what has happened since the last look. A span that is longer than most was
// not looked at for the machine's sake: no more of it is counted as rest.
func (a *Account) Look(most time.Duration) Spent {
	now := time.Now()
	span := now.Sub(a.last)
	a.last = now
	a.spent.Wall += span
	all, err := everybody()
	if err != nil {
		return a.spent
	}
	below, err := descendants(a.root, all)
	if err != nil {
		return a.spent
	}
	faults := a.faults
	changed := a.members(below)
	cpu := max(a.cpu, processorTime(below))
	ran := cpu - a.cpu
	a.cpu = cpu
	a.spent.CPU += ran
	before := a.machine
	a.machine = readMachine(a.root)
	denied := a.machine.since(before)
	if changed {
		// Of those that came and went nobody knows how long they waited.
		denied += a.machine.waited(before, span)
	}
	if a.faults > faults {
		denied = span // something of it had to be read from a disk
	}
	a.round++
	if room := span - ran - denied; room > 0 {
		denied += a.delays(room)
	}
	rest := min(span, most) - ran - min(denied, span)
	if rest > 0 && a.ready() {
		denied, rest = span, 0 // for how long, the kernel will tell when the wait is over
	}
	a.spent.Denied += min(denied, span)
	a.spent.Rest += max(0, rest)
	return a.spent
}

// members notes who is there, and tells whether others were there before.
func (a *Account) members(below map[int]stat) (changed bool) {
	pids := make([]int, 0, len(below))
	for pid := range below {
		pids = append(pids, pid)
	}
	slices.Sort(pids)
	starts := make([]uint64, len(pids))
	a.faults = 0
	for i, pid := range pids {
		starts[i] = below[pid].start
		a.faults += below[pid].major
	}
	changed = !slices.Equal(pids, a.pids) || !slices.Equal(starts, a.starts)
	a.pids, a.starts = pids, starts
	return changed
}

// processorTime is that of the processes and of all that they, or this process, have
// collected.
func processorTime(below map[int]stat) time.Duration {
	var ended unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_CHILDREN, &ended)
	sum := time.Duration(ended.Utime.Nano() + ended.Stime.Nano())
	for _, s := range below {
		sum += time.Duration(s.ticks) * tick
	}
	return sum
}

// delays returns for how long threads of the tree waited for a processor since the last
// look. It stops where there is more than enough of it: a tree that works costs little
// to look at. A thread that it did not come to counts again from the look after the next.
func (a *Account) delays(enough time.Duration) (sum time.Duration) {
	for _, pid := range a.pids {
		dir := "/proc/" + strconv.Itoa(pid) + "/task/"
		tids, err := numbers(dir)
		if err != nil {
			continue // it has ended
		}
		for _, tid := range tids {
			if a.buf, err = readLine(dir+strconv.Itoa(tid)+"/schedstat", a.buf); err != nil {
				continue
			}
			now, ok := parseSchedstat(a.buf)
			if !ok {
				continue
			}
			before, known := a.threads[tid]
			switch {
			case !known || now.times < before.times: // it has begun since
				sum += time.Duration(now.delay)
			case a.read[tid] == a.round-1:
				sum += time.Duration(now.delay - before.delay)
			}
			a.threads[tid], a.read[tid] = now, a.round
		}
		if sum > enough {
			return sum
		}
	}
	return sum
}

// ready tells whether a thread of the tree runs now, or could.
func (a *Account) ready() bool {
	return slices.ContainsFunc(a.pids, func(pid int) (in bool) {
		in, a.buf = threadIn(pid, "R", a.buf)
		return in
	})
}

// readLoad returns the load of the machine over the last minute, as a person knows it.
func readLoad() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	for i, c := range b {
		if c == ' ' {
			return string(b[:i])
		}
	}
	return ""
}
