package run

import (
	"math"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/observe"
	"prokata/checker/internal/tree/wire"
)

// The bounds of what is kept of one test: a program that starts processes without end
// must not fill the evidence.
const (
	mostLives  = 400
	mostDoings = 4000
	mostHolds  = 1000
	mostMarks  = 500
	blur       = 250 * time.Millisecond // a longer gap between two looks is not bridged, even where both saw the same
)

// A chronicle keeps the timeline of the test that runs. It is told by who looks anyway:
// the session, the watch for deadlocks, who hears of starts and ends. All may tell at the
// same time.
type chronicle struct {
	mu     sync.Mutex
	zero   time.Time // the test's begin
	line   *evidence.Timeline
	lives  map[int]int // by process ID: the last of line.Lives with it
	doings map[int]int // by process ID: the last of line.Doings
	holds  map[evidence.Hold]int
	looked float64 // when it was last seen who is there
	over   bool    // the test was judged: what comes now is the supervisor's doing
}

// begin forgets all and starts anew, with the process of the test.
func (c *chronicle) begin(test int, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.zero, c.looked, c.over = time.Now(), 0, false
	c.line = &evidence.Timeline{Lives: []evidence.Life{{PID: test, Name: name, Test: true, Began: evidence.Moment{Exact: true}}}}
	c.lives, c.doings, c.holds = map[int]int{test: 0}, map[int]int{}, map[evidence.Hold]int{}
}

// take ends the timeline and hands it out.
func (c *chronicle) take() *evidence.Timeline {
	c.mu.Lock()
	defer c.mu.Unlock()
	line := c.line
	if line != nil && !c.over {
		line.Seconds = c.now()
	}
	c.line = nil
	return line
}

// now is the time of the test, in whole microseconds.
func (c *chronicle) now() float64 { return c.at(time.Now()) }

func (c *chronicle) at(t time.Time) float64 {
	return max(0, math.Round(t.Sub(c.zero).Seconds()*1e6)/1e6)
}

// life is that of a process, which is new if none with this number is known to live.
func (c *chronicle) life(pid int, began evidence.Moment) *evidence.Life {
	if i, known := c.lives[pid]; known {
		return &c.line.Lives[i]
	}
	if len(c.line.Lives) == mostLives {
		c.line.Dropped++
		return nil
	}
	c.lives[pid] = len(c.line.Lives)
	c.line.Lives = append(c.line.Lives, evidence.Life{PID: pid, Began: began})
	return &c.line.Lives[len(c.line.Lives)-1]
}

// started notes a process that presents itself as it comes to its own code.
func (c *chronicle) started(child wire.Child, ticks uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line == nil || c.over {
		return
	}
	if i, known := c.lives[child.PID]; known && c.line.Lives[i].Ended != nil {
		delete(c.lives, child.PID) // the number is used again
	}
	now := c.now()
	if l := c.life(child.PID, c.start(ticks, now)); l != nil {
		l.Ready = now
		if l.Parent == 0 {
			l.Parent = child.Parent
		}
		if child.Name != "" {
			l.Name = child.Name
		}
	}
}

// ended notes the end of a process as the kernel tells of it.
func (c *chronicle) ended(pid int, exit string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line == nil || c.over {
		return
	}
	if i, known := c.lives[pid]; known {
		c.line.Lives[i].Ended = &evidence.Moment{At: c.now(), Exact: true}
		c.line.Lives[i].Exit = exit
	}
}

// there notes who is there, by a look at all of the tree.
func (c *chronicle) there(processes []evidence.Process, supervisor int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line == nil || c.over {
		return
	}
	now := c.now()
	seen := map[int]bool{}
	for _, p := range processes {
		seen[p.PID] = true
		_, known := c.lives[p.PID]
		l := c.life(p.PID, c.start(p.Start, now))
		if l == nil {
			continue
		}
		if l.Ready == 0 && !l.Test || l.Name == "" {
			l.Name = p.Name // it may have become another program
		}
		switch {
		case p.Parent != supervisor && l.Parent == 0:
			l.Parent = p.Parent
		case p.Parent == supervisor && !l.Test && l.Adopt == nil:
			l.Adopt = &evidence.Moment{At: now, After: c.looked}
		}
		if l.Zombie = p.State == "Z"; l.Zombie && l.Ended == nil {
			l.Ended = &evidence.Moment{At: now, After: max(c.looked, l.Began.At)}
			if !known {
				l.Ended.After = l.Began.After
			}
		}
		if p.State == "T" {
			c.does(evidence.Doing{PID: p.PID, Kind: "stopped"}, now)
		}
	}
	for pid, i := range c.lives {
		if l := &c.line.Lives[i]; !seen[pid] {
			l.Zombie = false
			if l.Ended == nil {
				l.Ended = &evidence.Moment{At: now, After: max(c.looked, l.Began.At)}
			}
			delete(c.lives, pid)
		}
	}
	c.looked = now
}

// start is when a process began, which the kernel keeps in ticks after the machine's start.
func (c *chronicle) start(ticks uint64, now float64) evidence.Moment {
	const tick = 0.01
	up, ok := uptime()
	if !ok || ticks == 0 {
		return evidence.Moment{At: now, After: c.looked}
	}
	began := now - (up - float64(ticks)*tick)
	return evidence.Moment{At: round(min(now, max(0, began+tick))), After: round(max(0, began))}
}

func round(seconds float64) float64 { return math.Round(seconds*1e6) / 1e6 }

// saw notes what one look has shown of what the processes were doing.
func (c *chronicle) saw(s observe.Sight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line == nil || c.over {
		return
	}
	now := c.now()
	if len(s.Doings) > 0 {
		c.line.Looks++
	}
	for _, d := range s.Doings {
		c.does(d, now)
	}
	if !s.Whole {
		return
	}
	held := map[evidence.Hold]int{}
	for _, h := range s.Holds {
		i, known := c.holds[h]
		if !known {
			if len(c.line.Holds) == mostHolds {
				c.line.Dropped++
				continue
			}
			i = len(c.line.Holds)
			c.line.Holds = append(c.line.Holds, h)
			c.line.Holds[i].From = now
		}
		c.line.Holds[i].To = now
		held[h] = i
	}
	c.holds = held
}

// does adds one sample of a process, to the one before it where that is the same.
func (c *chronicle) does(d evidence.Doing, now float64) {
	if i, known := c.doings[d.PID]; known {
		before := &c.line.Doings[i]
		if before.Kind == d.Kind && before.What == d.What && now-before.To <= blur.Seconds() {
			before.To = now
			return
		}
	}
	if len(c.line.Doings) == mostDoings {
		c.line.Dropped++
		return
	}
	d.From, d.To = now, now
	c.doings[d.PID] = len(c.line.Doings)
	c.line.Doings = append(c.line.Doings, d)
}

// mark notes something that happens now.
func (c *chronicle) mark(kind string, pid int, what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line == nil {
		return
	}
	if len(c.line.Marks) == mostMarks {
		c.line.Dropped++
		return
	}
	c.line.Marks = append(c.line.Marks, evidence.Mark{At: c.now(), Kind: kind, PID: pid, What: what})
}

// judged notes for what the test is about to be ended: nothing that the program does
// after that is its own doing.
func (c *chronicle) judged(what string) {
	c.mark("judged", 0, what)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line != nil {
		c.over, c.line.Seconds = true, c.now()
	}
}

// signal notes a signal that the supervisor is about to send.
func (c *chronicle) signal(pid int, sig syscall.Signal) { c.mark("signal", pid, unix.SignalName(sig)) }

// sent notes a signal that the test is about to send, to a process or, as kill(2) has it,
// to the group of -pid.
func (c *chronicle) sent(pid int, sig string) {
	if pid < 0 {
		c.mark("sent", -pid, sig+" (to its group)")
		return
	}
	c.mark("sent", pid, sig)
}

// known completes the timeline with children of which only the hooks in the source under
// test know: they came and went between two looks.
func (c *chronicle) known(children []evidence.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line == nil {
		return
	}
	now := c.now()
	for _, p := range children {
		i := slices.IndexFunc(c.line.Lives, func(l evidence.Life) bool { return l.PID == p.PID })
		if i >= 0 {
			if l := &c.line.Lives[i]; l.Name == "" {
				l.Name = p.Name
			}
			continue
		}
		if l := c.life(p.PID, evidence.Moment{At: now}); l != nil {
			l.Parent, l.Name, l.Ended = p.Parent, p.Name, &evidence.Moment{At: now}
		}
	}
}
