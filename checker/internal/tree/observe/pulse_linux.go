package observe

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"time"

	"prokata/checker/internal/evidence"
)

// A pulse is the cheap look at a tree: is every thread asleep in a call that
// has no end of its own, and did none of them run since the last look? It
// proves nothing; it says when a snapshot is worth its price.
type pulse struct {
	root  int
	marks []mark // of the last look, if the tree was still
	buf   []byte

	// The thread that was seen to run, which may run on.
	movingPID int
	moving    string

	seer *seer // tells what each process was doing; nil where nobody wants to know
}

// A mark is what a thread has taken so far.
type mark struct {
	tid int
	usage
}

// A usage is what the scheduler counts of a thread, exactly, unlike the ticks in
// /proc/PID/stat.
type usage struct {
	run   uint64 // nanoseconds on a processor
	delay uint64 // nanoseconds runnable without one
	times uint64 // how often it got one
}

// still takes a look. It stops at the first thread that is not at rest, and
// begins with that one the next time: a tree that works costs two small reads.
// Only where somebody wants to know what all are doing it goes on now and then.
func (p *pulse) still(q evidence.Question) (still, changed bool) {
	began := time.Now()
	whole := p.seer != nil && p.seer.begin(began)
	skip := append([]int{p.root}, q.Assume...)
	if !whole && p.moving != "" && !slices.Contains(skip, p.movingPID) {
		if _, w, ok := p.thread(p.moving); !ok {
			p.saw(p.movingPID, w, false)
			return p.moved(p.movingPID, p.moving)
		}
	}
	p.moving = ""
	var pids []int
	if len(q.Only) == 0 {
		pids = p.below(p.root, nil)
	}
	for _, pid := range q.Only {
		pids = p.below(pid, append(pids, pid))
	}
	var marks []mark
	for i, pid := range pids {
		if slices.Contains(skip, pid) || slices.Contains(pids[:i], pid) {
			continue
		}
		dir := "/proc/" + strconv.Itoa(pid) + "/task/"
		tids, err := numbers(dir)
		if err != nil {
			continue // it has ended
		}
		tells := wait{rank: idle}
		for _, tid := range tids {
			dir := dir + strconv.Itoa(tid) + "/"
			m, w, ok := p.thread(dir)
			if w.rank < tells.rank {
				tells = w
			}
			if p.seer != nil {
				p.seer.threads++
			}
			if !ok && p.moving == "" {
				p.movingPID, p.moving = pid, dir
			}
			if !ok && !whole {
				break
			}
			m.tid = tid
			marks = append(marks, m)
		}
		p.saw(pid, tells, whole || p.moving == "")
		if p.moving != "" && !whole {
			break
		}
	}
	if p.seer != nil && (whole || p.moving == "") {
		p.seer.end(began, pids)
	}
	if p.moving != "" {
		return p.moved(p.movingPID, p.moving)
	}
	if len(marks) == 0 { // nobody is there (yet)
		p.marks = nil
		return false, true
	}
	changed = !slices.Equal(marks, p.marks)
	p.marks = marks
	return true, changed
}

func (p *pulse) moved(pid int, dir string) (still, changed bool) {
	p.movingPID, p.moving, p.marks = pid, dir, nil
	return false, true
}

// saw notes what a process was doing, for who wants to know.
func (p *pulse) saw(pid int, w wait, all bool) {
	if p.seer != nil {
		p.seer.process(pid, w, all)
	}
}

// thread is false for a thread that runs, or that a timer will wake. A thread
// that is gone is at rest.
func (p *pulse) thread(dir string) (m mark, w wait, ok bool) {
	w.rank = idle
	var err error
	if p.buf, err = readLine(dir+"syscall", p.buf); err != nil {
		return m, w, true
	}
	b, ok := parseBlocked(p.buf)
	if !ok || b.running {
		w.rank = rank("running")
		return m, w, false
	}
	if b.nr >= 0 {
		w = waitOf(b)
		t := evidence.Thread{Call: calls[b.nr], Args: b.args[:]}
		// A futex with a timeout may be the Go runtime's monitor, whose sleep
		// of a minute does not count; a snapshot tells.
		if t.Timed() && t.Call != "futex" && t.Call != "restart_syscall" && !p.stopped(dir) {
			return m, w, false
		}
	}
	if p.moving != "" { // the tree is not still, whatever this one has taken
		return m, w, true
	}
	if p.buf, err = readLine(dir+"schedstat", p.buf); err == nil {
		if m.usage, ok = parseSchedstat(p.buf); ok {
			w.times = m.times
			return m, w, true
		}
	}
	// A kernel without scheduler statistics.
	if p.buf, err = read(dir+"status", p.buf); err != nil {
		return m, w, true
	}
	m.times = uint64(decimal(field(p.buf, "voluntary_ctxt_switches")) + decimal(field(p.buf, "nonvoluntary_ctxt_switches")))
	w.times = m.times
	return m, w, true
}

// stopped: no timer wakes a thread before a signal lets it go on.
func (p *pulse) stopped(dir string) bool {
	var err error
	if p.buf, err = readLine(dir+"stat", p.buf); err != nil {
		return false
	}
	s, err := parseStat(p.buf)
	return err == nil && s.state == "T"
}

// parseSchedstat reads a line such as
//
//	251046012 1184210 318
func parseSchedstat(line []byte) (u usage, ok bool) {
	f := bytes.Fields(line)
	if len(f) != 3 {
		return u, false
	}
	var errs [3]error
	u.run, errs[0] = strconv.ParseUint(string(f[0]), 10, 64)
	u.delay, errs[1] = strconv.ParseUint(string(f[1]), 10, 64)
	u.times, errs[2] = strconv.ParseUint(string(f[2]), 10, 64)
	return u, errors.Join(errs[:]...) == nil && u.times > 0
}

// below adds the descendants of a process by the lists of children that the
// kernel keeps for each thread:
//
//	4312 4313 4400
//
// They may miss one while others end, which a snapshot does not.
func (p *pulse) below(pid int, list []int) []int {
	dir := "/proc/" + strconv.Itoa(pid) + "/task/"
	tids, err := numbers(dir)
	if err != nil {
		return list
	}
	for _, tid := range tids {
		if p.buf, err = read(dir+strconv.Itoa(tid)+"/children", p.buf); err != nil {
			continue
		}
		var children []int
		for word := range bytes.FieldsSeq(p.buf) {
			children = append(children, decimal(word))
		}
		for _, child := range children {
			list = p.below(child, append(list, child))
		}
	}
	return list
}
