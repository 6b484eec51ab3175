package observe

import (
	"context"
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
		sum.times += now.times - before.times
		g.taken[tid] = sum
		if g.buf, err = readLine(path+"syscall", g.buf); err != nil {
			continue
		}
		b, ok := parseBlocked(g.buf)
		switch {
		case !ok || b.running:
			moved = true
		case b.nr >= 0:
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
		PID: g.pid, Name: g.name, Wall: time.Since(g.began).Seconds(),
		CPU: seconds(total.run), Delay: seconds(total.delay), Wakeups: total.times,
	}
}

// held is for how long the busiest thread could have run, and did not get a
// processor.
func (g *gauge) held() float64 {
	var most usage
	for _, u := range g.taken {
		if u.times > most.times {
			most = u
		}
	}
	return seconds(most.delay)
}

func seconds(ns uint64) float64 { return time.Duration(ns).Seconds() }

// Waiting looks at processes that have nothing to do but to wait, from now on,
// until each has come to rest or has shown that it never will. It returns what
// each has taken. It is what a test's mark "this must cost nothing" asks for.
//
// A process that spins is known by the processor time that it takes, one that
// looks and sleeps in turn by how often it wakes: a loaded machine delays both
// and changes neither. One that does something more rarely than that, with a
// timer of its own, is let go after a while.
func Waiting(ctx context.Context, pids []int) []evidence.Burn {
	type state struct {
		*gauge
		still time.Time // since when
		done  bool
		burn  evidence.Burn
	}
	var all []*state
	for _, pid := range pids {
		all = append(all, &state{gauge: newGauge(pid), still: time.Now()})
	}
	tick := time.NewTicker(Step)
	defer tick.Stop()
	for {
		open := false
		for _, s := range all {
			if s.done {
				continue
			}
			moved, timed := s.look()
			now := time.Now()
			if moved {
				s.still = now
			}
			bound := calm
			if timed {
				bound = calmTimer
			}
			s.burn = s.gauge.burn()
			switch {
			case s.ended || now.Sub(s.still) >= bound:
				s.burn.Rested, s.done = true, true
			case s.burn.Spinning() && s.burn.CPU >= enoughCPU.Seconds(),
				s.burn.Active() && s.burn.Wakeups >= enoughWakeups && s.burn.Wall-s.held() >= enoughTime.Seconds():
				s.done = true
			case now.Sub(s.began) > patient && !s.burn.Spinning():
				s.burn.Rested, s.done = true, true
			}
			open = open || !s.done
		}
		if !open {
			break
		}
		select {
		case <-ctx.Done():
			// Nothing is known of those that are left.
			all = slices.DeleteFunc(all, func(s *state) bool { return !s.done })
			open = false
		case <-tick.C:
			continue
		}
		break
	}
	burns := make([]evidence.Burn, len(all))
	for i, s := range all {
		burns[i] = s.burn
	}
	return burns
}

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
