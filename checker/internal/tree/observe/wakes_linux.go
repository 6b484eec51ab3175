package observe

import (
	"bytes"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/tree/wakes"
)

// standing says what a process has set for later, once its threads are known.
func (l *look) standing(n *node) error {
	timers, err := read("/proc/"+strconv.Itoa(n.PID)+"/timers", nil)
	if gone(err) && len(n.Threads) == 0 {
		return err
	}
	ticking := []int(nil)
	if err == nil {
		ticking = parseTimers(timers)
	}
	if !n.told {
		// A kernel without that file leaves timer_create(2) unseen; Go programs have
		// no use for it.
		if len(ticking) > 0 {
			n.doubt("it has a timer of its own")
		}
		if n.program.alarm != "" {
			n.doubt(n.program.alarm)
		}
		return nil
	}
	why, anybody := l.in.Wakes.Standing(wakes.Sight{
		PID: n.PID, Start: n.Start, Timers: ticking, Rings: n.rings,
		In: func(tid, call int) bool {
			for _, t := range n.Threads {
				if t.TID == tid {
					return t.State != "S" || t.Call == "call "+strconv.Itoa(call)
				}
			}
			return false
		},
	})
	if why != "" {
		n.doubt(why)
	}
	n.anybody = n.anybody || anybody
	return nil
}

// parseTimers returns the IDs of those timers that tick while their process sleeps
// and then send a signal, from records such as
//
//	ID: 1
//	signal: 14/00007ffd5d3c2a80
//	notify: signal/pid.4312
//	ClockID: 1
func parseTimers(file []byte) []int {
	ids := []int{}
	id, silent := -1, false
	for line := range bytes.Lines(file) {
		name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(": "))
		switch string(name) {
		case "ID":
			id, silent = decimal(value), false
		case "notify":
			silent = bytes.HasPrefix(value, []byte("none"))
		case "ClockID":
			// Other clocks that count processor time are those of other processes.
			clock := string(value)
			cpu := clock == strconv.Itoa(unix.CLOCK_PROCESS_CPUTIME_ID) || clock == strconv.Itoa(unix.CLOCK_THREAD_CPUTIME_ID)
			if !silent && !cpu {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// asyncs looks for what may wake any process of the tree: a descriptor that was told
// to send a signal, and requests that the kernel works off, which may be about pipes
// that nobody seems to hold.
func (l *look) asyncs() {
	why := ""
	for _, n := range l.list {
		if n.anybody {
			why = "the kernel may work off requests of pid " + strconv.Itoa(n.PID)
		}
	}
	if l.in.Wakes != nil {
		for _, a := range l.in.Wakes.Asyncs() {
			if !l.turnedOff(a) {
				why = "descriptor " + strconv.Itoa(a.FD) + " of pid " + strconv.Itoa(a.PID) + " was told to send a signal (" + a.What + ")"
			}
		}
	}
	for _, n := range l.list {
		if slices.Contains(n.async, true) {
			why = "a descriptor of pid " + strconv.Itoa(n.PID) + " was told to send a signal (O_ASYNC)"
		}
	}
	if why == "" {
		return
	}
	for _, n := range l.list {
		n.doubt(why)
	}
}

// turnedOff reports whether the process still has the descriptor, and has taken
// O_ASYNC from it again.
func (l *look) turnedOff(a wakes.Async) bool {
	n := l.nodes[a.PID]
	if n == nil || n.Start != a.Start || a.What != "O_ASYNC" {
		return false
	}
	at := slices.Index(n.fds, a.FD)
	return at >= 0 && !n.async[at]
}
