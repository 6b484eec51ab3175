package wakes

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A Ledger holds what the processes of a tree have set.
type Ledger struct {
	listener, stop int
	done           chan struct{}

	mu    sync.Mutex
	set   map[int]*process
	async []Async
}

// A process is what one process has set. Its alarm and its rings stay its own over
// exec(2), and none is handed to a child.
type process struct {
	start  uint64 // clock ticks after boot: tells a reused process ID
	alarm  *clock
	timers map[int]*clock // those of timer_create(2), by ID
	rings  int            // io_uring_setup(2), so many times
	other  string
}

// A clock runs until it has rung, or for ever.
type clock struct {
	tid, call int // the thread that set it, and the call in which it did
	repeats   bool
	left      time.Duration // as it was set
	rings     time.Time     // no later than this; zero until the call is known to be over
}

// An Async is a descriptor that was told to send a signal when something happens.
type Async struct {
	PID   int
	Start uint64
	FD    int
	What  string // "O_ASYNC", "a folder"
}

// late is by how much a clock of the kernel may be late on a machine of which only
// some processors run.
const late = 2 * time.Second

func newLedger() (*Ledger, error) {
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	return &Ledger{stop: stop, done: make(chan struct{}), set: make(map[int]*process)}, nil
}

// Close ends the listening. Whoever is left of the tree can set nothing more. There is
// nothing to close where the kernel does not tell.
func (l *Ledger) Close() {
	if l == nil {
		return
	}
	_, _ = unix.Write(l.stop, binary.NativeEndian.AppendUint64(nil, 1))
	<-l.done
	unix.Close(l.stop)
}

// note writes down one call, before it is made.
func (l *Ledger) note(n notice) {
	pid, start, ok := whose(int(n.PID))
	if !ok {
		return // it is gone
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.set[pid]
	if p == nil || p.start != start {
		p = &process{start: start, timers: make(map[int]*clock)}
		l.set[pid] = p
	}
	if n.Arch != arch || uint32(n.Call) >= foreign {
		p.other = "it makes system calls as another kind of processor does"
		return
	}
	async := func(what string) {
		l.async = append(l.async, Async{PID: pid, Start: start, FD: int(int32(n.Args[0])), What: what})
	}
	c := &clock{tid: int(n.PID), call: int(n.Call)}
	switch call := int(n.Call); call {
	case alarmCall:
		c.left = time.Duration(uint32(n.Args[0])) * time.Second
		p.alarm = c.unlessOff()
	case unix.SYS_SETITIMER:
		// struct itimerval: interval and value, each seconds and microseconds.
		w, ok := words(int(n.PID), n.Args[1], 4)
		c.repeats = !ok || w[0]|w[1] != 0
		c.left = span(w[2], w[3], time.Microsecond)
		if !ok {
			c.left = 1 // unknown, so it repeats
		}
		p.alarm = c.unlessOff()
	case unix.SYS_TIMER_SETTIME:
		// struct itimerspec, with nanoseconds. A time of day says nothing about how
		// long that is.
		const absolute = 1
		w, ok := words(int(n.PID), n.Args[2], 4)
		c.repeats = !ok || w[0]|w[1] != 0 || n.Args[1]&absolute != 0
		c.left = span(w[2], w[3], time.Nanosecond)
		if !ok {
			c.left = 1
		}
		p.timers[int(int32(n.Args[0]))] = c.unlessOff()
	case unix.SYS_IO_URING_SETUP:
		p.rings++
	case unix.SYS_IO_SETUP:
		p.other = "it may have given the kernel requests (io_setup)"
	case unix.SYS_MQ_NOTIFY:
		if n.Args[1] != 0 {
			async("a message queue")
		}
	case unix.SYS_FCNTL:
		async(map[uint32]string{
			unix.F_SETLEASE: "a lease", unix.F_NOTIFY: "a folder", unix.F_SETFL: "O_ASYNC",
		}[uint32(n.Args[1])])
	case unix.SYS_IOCTL:
		async("O_ASYNC")
	case unix.SYS_PIPE2:
		async("a pipe to which the kernel writes")
	}
}

// unlessOff is nil for a clock that was set to nothing, which stops it.
func (c *clock) unlessOff() *clock {
	if c.left == 0 {
		return nil
	}
	return c
}

// span is a time of two words, and the longest that there is for one that is too long.
func span(seconds, rest uint64, unit time.Duration) time.Duration {
	const most = 1 << 32
	if seconds >= most || rest >= 1e9 {
		return most * time.Second
	}
	return time.Duration(seconds)*time.Second + time.Duration(rest)*unit
}

// words reads memory of the thread that calls, which stands still meanwhile.
func words(tid int, addr uint64, n int) ([]uint64, bool) {
	b := make([]byte, 8*n)
	list := make([]uint64, n)
	if addr == 0 {
		return list, true // as if it were all nothing
	}
	local := unix.Iovec{Base: &b[0]}
	local.SetLen(len(b))
	got, err := unix.ProcessVMReadv(tid, []unix.Iovec{local}, []unix.RemoteIovec{{Base: uintptr(addr), Len: len(b)}}, 0)
	if err != nil || got != len(b) {
		return list, false
	}
	for i := range list {
		list[i] = binary.NativeEndian.Uint64(b[8*i:])
	}
	return list, true
}

// whose returns the process of a thread, and when it began.
func whose(tid int) (pid int, start uint64, ok bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	if err != nil {
		return 0, 0, false
	}
	_, rest, _ := bytes.Cut(status, []byte("\nTgid:\t"))
	word, _, _ := bytes.Cut(rest, []byte("\n"))
	if pid, err = strconv.Atoi(string(word)); err != nil {
		return 0, 0, false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, false
	}
	f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(f) < 20 {
		return 0, 0, false
	}
	start, err = strconv.ParseUint(string(f[19]), 10, 64)
	return pid, start, err == nil
}

// A Sight is what was just seen of a process at rest.
type Sight struct {
	PID    int
	Start  uint64
	Timers []int // IDs of those that timer_create(2) has made and that tick while it sleeps; nil: not known
	Rings  int   // rings of requests that it holds, and to which nobody has handed any
	In     func(tid, call int) bool
}

// Standing says why the process may wake by what it has set itself, and "" if it has
// set nothing that still stands; with anybody, others may be woken by that too. It is
// to be asked after the threads were looked at: what a thread sets is noted before it
// goes on.
func (l *Ledger) Standing(s Sight) (why string, anybody bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.set[s.PID]
	if p == nil || p.start != s.Start {
		return "", false
	}
	if p.alarm.over(s) {
		p.alarm = nil
	}
	for id, c := range p.timers {
		if c.over(s) || s.Timers != nil && !slices.Contains(s.Timers, id) {
			delete(p.timers, id)
		}
	}
	switch {
	case p.other != "":
		return p.other, true
	case p.rings > s.Rings:
		return "it may have given the kernel requests (io_uring)", true
	case p.alarm != nil:
		return "it has set an alarm", false
	case len(p.timers) > 0:
		return "it has a timer of its own", false
	}
	return "", false
}

// over reports whether a clock has rung for the last time. From when it ran is known
// only by and by: the call that set it is over as soon as its thread is seen elsewhere.
func (c *clock) over(s Sight) bool {
	switch {
	case c == nil:
		return true
	case c.repeats, s.In(c.tid, c.call):
		return false
	case c.rings.IsZero():
		c.rings = time.Now().Add(c.left + late)
		return false
	}
	return time.Now().After(c.rings)
}

// Asyncs are the descriptors that were told to send signals. To whom, and who else
// holds the open file when its process has gone, nobody can tell.
func (l *Ledger) Asyncs() []Async {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.async)
}
