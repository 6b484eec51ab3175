package observe

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
)

// What a look at one thread costs (to open, read and close a file of /proc or two, and its
// share of the walk), and how many times its own price a whole look must have paid for
// before the next one: what a timeline adds to the watching is about a hundredth of a
// processor (BenchmarkWatch). The price is counted and not measured, so that a busy machine
// is not looked at less.
const (
	price  = 20 * time.Microsecond
	frugal = 125
)

// A seer tells what the processes of a tree are doing, by what a pulse reads anyway: a
// pulse that meets a thread which is not at rest could stop there, and with a seer goes
// on now and then.
type seer struct {
	sight Sight
	due   time.Time         // the next whole look
	names map[int]asleep    // of what a process was found waiting for at the last look
	files map[string]string // of locked files: their paths
	locks []byte            // /proc/locks at the last look
	buf   []byte

	threads int // that were looked at
}

// An asleep is a wait, and what it is for.
type asleep struct {
	wait
	doing evidence.Doing
}

// A wait is a thread's call, as far as it says for what.
type wait struct {
	rank  int // in evidence.DoingKinds; a thread that says nothing has idle
	call  string
	fd    int
	times uint64 // how often the thread got a processor: another number is another wait
}

// idle is the rank of a thread that only keeps house: one of the Go runtime's own.
var idle = len(evidence.DoingKinds)

func newSeer() *seer { return &seer{names: map[int]asleep{}, files: map[string]string{}} }

// begin starts a look, and says whether it is to be a whole one.
func (s *seer) begin(now time.Time) bool {
	s.sight, s.threads = Sight{Whole: !now.Before(s.due)}, 0
	return s.sight.Whole
}

// end ends a look that has come to every process: a whole one, or one at a tree at rest.
func (s *seer) end(began time.Time, pids []int) {
	s.sight.Whole, s.sight.Holds = true, s.holds(pids)
	s.due = began.Add(frugal * price * time.Duration(s.threads))
}

// process notes what a process was doing: that of its threads which says most. Where not
// all of them were looked at, only that one runs is known.
func (s *seer) process(pid int, w wait, all bool) {
	if w.rank >= idle || !all && w.rank != rank("running") {
		return
	}
	before, known := s.names[pid]
	// What a set of descriptors holds may change from one wait to the next.
	if again := w.rank != rank("poll") || w.times > 0; !known || before.wait != w || !again {
		before = asleep{w, s.name(pid, w)}
		s.names[pid] = before
	}
	s.sight.Doings = append(s.sight.Doings, before.doing)
}

// rank is that of a kind.
func rank(kind string) int { return slices.Index(evidence.DoingKinds, kind) }

// waitOf says what the call of a thread tells. That of the Go runtime's monitor, and of
// a thread of it that has nothing to do, look like sleep: they say nothing, or least.
func waitOf(b blocked) wait {
	t := evidence.Thread{Call: calls[b.nr], Args: b.args[:]}
	w := wait{rank: idle, call: t.Call, fd: -1}
	switch t.Call {
	case "flock", "fcntl":
		w.rank, w.fd = rank("lock"), int(int32(b.args[0]))
	case "wait4", "waitid":
		w.rank, w.fd = rank("child"), int(int32(b.args[0]))
		if t.Call == "waitid" {
			w.fd = int(int32(b.args[1]))
		}
	case "read", "readv", "write", "writev", "recvfrom", "recvmsg", "sendto", "sendmsg", "accept", "accept4", "connect", "splice", "tee":
		w.rank, w.fd = rank("pipe"), int(int32(b.args[0]))
	case "open", "openat":
		w.rank = rank("pipe")
	case "semop", "semtimedop", "msgrcv", "msgsnd", "mq_timedreceive", "mq_timedsend":
		w.rank = rank("queue")
	case "pause", "rt_sigsuspend", "rt_sigtimedwait":
		w.rank = rank("signal")
	case "clock_nanosleep":
		w.rank = rank("timer")
	case "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6":
		w.rank, w.fd = rank("poll"), int(int32(b.args[0]))
		if t.Timed() {
			w.rank = rank("timer")
		}
	case "futex", "futex_waitv":
		switch _, private := t.FutexOp(); {
		case t.Call == "futex_waitv" || !private && !t.Timed():
			w.rank = rank("shared")
		case !t.Timed():
			w.rank = rank("inside")
		}
	}
	return w
}

// name says what a wait is for.
func (s *seer) name(pid int, w wait) evidence.Doing {
	d := evidence.Doing{PID: pid, Kind: evidence.DoingKinds[w.rank]}
	switch {
	case d.Kind == "lock":
		d.What = s.link(pid, w.fd)
	case d.Kind == "child":
		d.What = s.child(pid, w)
	case d.Kind == "pipe" && w.fd >= 0:
		d.What = s.link(pid, w.fd)
		d.Kind = kindOf(d.What)
	case d.Kind == "poll" && strings.HasPrefix(w.call, "epoll"):
		d.Kind, d.What = s.polled(pid, w.fd)
	}
	return d
}

// kindOf is the kind of a wait for what a descriptor is joined to.
func kindOf(target string) string {
	switch {
	case strings.HasPrefix(target, "pipe:"):
		return "pipe"
	case strings.HasPrefix(target, "socket:"):
		return "socket"
	case strings.HasPrefix(target, "/"): // a named pipe, a terminal
		return "pipe"
	}
	return "poll"
}

func (s *seer) link(pid, fd int) string {
	target, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
	if err != nil {
		return ""
	}
	return target
}

// child names the child that is waited for, where one is.
func (s *seer) child(pid int, w wait) string {
	if w.call == "wait4" {
		if w.fd > 0 {
			return "pid " + strconv.Itoa(w.fd)
		}
		return ""
	}
	if s.link(pid, w.fd) != "anon_inode:[pidfd]" {
		return ""
	}
	b, err := read(fmt.Sprintf("/proc/%d/fdinfo/%d", pid, w.fd), s.buf)
	if s.buf = b; err != nil {
		return ""
	}
	// "Pid:	4312"
	return "pid " + string(field(b, "Pid"))
}

// polled says what an epoll set holds: one thing by its name, several of one kind by
// their number. What the runtime of Go puts there for itself does not count.
func (s *seer) polled(pid, fd int) (kind, what string) {
	const most = 16
	b, err := read(fmt.Sprintf("/proc/%d/fdinfo/%d", pid, fd), s.buf)
	if s.buf = b; err != nil {
		return "poll", ""
	}
	var targets []string
	// "tfd:        5 events:     2019 data: ..."
	for line := range bytes.Lines(b) {
		rest, ok := bytes.CutPrefix(line, []byte("tfd:"))
		if !ok {
			continue
		}
		if f := bytes.Fields(rest); len(f) > 0 {
			target := s.link(pid, decimal(f[0]))
			if k := kindOf(target); k == "pipe" || k == "socket" {
				targets = append(targets, target)
			}
		}
		if len(targets) == most {
			break
		}
	}
	if len(targets) == 0 {
		return "inside", ""
	}
	kind, what = kindOf(targets[0]), targets[0]
	for _, t := range targets[1:] {
		if kindOf(t) != kind {
			return "poll", fmt.Sprintf("%d descriptors", len(targets))
		}
	}
	if len(targets) > 1 {
		what = fmt.Sprintf("one of %d", len(targets))
	}
	return kind, what
}

// holds returns the locks on files that processes of the tree have taken.
func (s *seer) holds(pids []int) (list []evidence.Hold) {
	b, err := read("/proc/locks", s.locks)
	if s.locks = b; err != nil {
		return nil
	}
	for line := range bytes.Lines(b) {
		l, ok := parseLock(line)
		if !ok || l.Waiting || !slices.Contains(pids, l.PID) {
			continue
		}
		list = append(list, evidence.Hold{PID: l.PID, Kind: l.Kind, Write: l.Write, Lock: s.file(l)})
	}
	return list
}

// file is the path of a locked file, as its holder has it open.
func (s *seer) file(l evidence.Lock) string {
	if path, known := s.files[l.File]; known {
		return path
	}
	dir := "/proc/" + strconv.Itoa(l.PID) + "/fd/"
	fds, _ := numbers(dir)
	path := l.File
	for _, fd := range fds {
		info, err := os.Stat(dir + strconv.Itoa(fd))
		if err != nil {
			continue
		}
		// "fe:00:524307" is the device, major and minor, and the inode.
		if st, ok := info.Sys().(*syscall.Stat_t); ok && l.File == fmt.Sprintf("%02x:%02x:%d", unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev)), st.Ino) {
			path = s.link(l.PID, fd)
			break
		}
	}
	s.files[l.File] = path
	return path
}
