package observe

import (
	"slices"
	"strconv"
	"time"

	"prokata/checker/internal/evidence"
)

// A gauge adds up what the threads of one process take, from its first look on.
type gauge struct {
	pid     int
	name    string
	start   uint64 // tells a reused process ID
	began   time.Time
	threads map[int]usage // as they were seen last
	taken   map[int]usage // since the first look
	held    uint64        // nanoseconds, since then, in which some thread waited for a processor
	ended   bool
	buf     []byte
}

func newGauge(pid int) *gauge {
	g := &gauge{pid: pid, began: time.Now(), threads: make(map[int]usage), taken: make(map[int]usage)}
	line, err := readLine("/proc/"+strconv.Itoa(pid)+"/stat", nil)
	if err != nil {
		g.ended = true
		return g
	}
	if s, err := parseStat(line); err == nil {
		g.start = s.start
		if p, ok := process(pid, s); ok {
			g.name = p.Name
		}
	}
	g.look()
	clear(g.taken) // what came before does not count
	g.held = 0
	return g
}

// look adds what was taken since the last look. It says whether anything was,
// and whether a thread sleeps for a time only, or may do so.
func (g *gauge) look() (moved, timed bool) {
	dir := "/proc/" + strconv.Itoa(g.pid)
	var err error
	if g.buf, err = readLine(dir+"/stat", g.buf); err != nil {
		g.ended = true
		return false, false
	}
	if s, err := parseStat(g.buf); err != nil || s.start != g.start || s.state == "Z" {
		g.ended = true
		return false, false
	}
	tids, err := numbers(dir + "/task")
	if err != nil {
		g.ended = true
		return false, false
	}
	longest := uint64(0)
	defer func() { g.held += longest }()
	for _, tid := range tids {
		path := dir + "/task/" + strconv.Itoa(tid) + "/"
		if g.buf, err = readLine(path+"schedstat", g.buf); err != nil {
			continue
		}
		now, ok := parseSchedstat(g.buf)
		if !ok {
			continue
		}
		before := g.threads[tid]
		if now.times < before.times { // another thread with a reused number
			before = usage{}
		}
		g.threads[tid] = now
		moved = moved || now != before
		sum := g.taken[tid]
		sum.run += now.run - before.run
		sum.delay += now.delay - before.delay
		// The work of a process moves from thread to thread: of all the waits that ended
		// since the last look, the longest one held it up.
		longest = max(longest, now.delay-before.delay)
		sum.times += now.times - before.times
		g.taken[tid] = sum
		if g.buf, err = readLine(path+"syscall", g.buf); err != nil {
			continue
		}
		b, ok := parseBlocked(g.buf)
		switch {
		case !ok || b.running || b.nr < 0: // less than 0: it waits for a page
			moved = true
		default:
			t := evidence.Thread{Call: calls[b.nr], Args: b.args[:]}
			// The Go runtime's monitor sleeps with a timeout in any case.
			timed = timed || t.Timed() && t.Call != "futex"
		}
	}
	return moved, timed
}

func (g *gauge) burn() evidence.Burn {
	var total usage
	for _, u := range g.taken {
		total.run += u.run
		total.delay += u.delay
		total.times += u.times
	}
	return evidence.Burn{
		PID: g.pid, Name: g.name, Wall: time.Since(g.began).Seconds(), Held: seconds(g.held),
		CPU: seconds(total.run), Delay: seconds(total.delay), Wakeups: total.times, Thread: g.busiest(),
	}
}

// busiest is the thread that took the most, or that woke most often if none took much.
func (g *gauge) busiest() (tid int) {
	var most uint64
	for t, u := range g.taken {
		if u.run > most || tid == 0 {
			tid, most = t, u.run
		}
	}
	return tid
}

func seconds(ns uint64) float64 { return time.Duration(ns).Seconds() }

// A Meter follows what every process below a root takes since the last progress
// of a test.
type Meter struct {
	root     int
	progress uint64
	gauges   map[int]*gauge
}

// NewMeter begins to follow the tree below root.
func NewMeter(root int) *Meter { return &Meter{root: root, gauges: make(map[int]*gauge)} }

// Look adds what was taken since the last look; a few times a second are
// enough. It begins anew where the count of progress has changed, or where
// processes have begun or ended: that is progress too.
func (m *Meter) Look(progress uint64) {
	p := &pulse{root: m.root}
	pids := p.below(m.root, nil)
	same := progress == m.progress && len(m.gauges) == len(pids)
	for _, pid := range pids {
		g := m.gauges[pid]
		if g == nil {
			same = false
			continue
		}
		ended := g.ended
		g.look()
		same = same && g.ended == ended
	}
	if same {
		return
	}
	m.progress = progress
	m.gauges = make(map[int]*gauge)
	for _, pid := range pids {
		m.gauges[pid] = newGauge(pid)
	}
}

// Stalled returns what each process that lives took since the last progress.
func (m *Meter) Stalled() []evidence.Burn {
	var burns []evidence.Burn
	for _, g := range m.gauges {
		if !g.ended {
			burns = append(burns, g.burn())
		}
	}
	slices.SortFunc(burns, func(a, b evidence.Burn) int { return a.PID - b.PID })
	return burns
}
