package run

import (
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/trace"
	"prokata/checker/internal/tree/wire"
)

// A look is what can be left behind, at one moment.
type look struct {
	processes   []evidence.Process // without the test process
	all         []evidence.Process
	descriptors []evidence.Descriptor
	mappings    []evidence.Mapping
	files       map[string]fs.FileInfo
	shared      objects
	childFaults int64
}

func (s *session) look() look {
	pid := s.cmd.Process.Pid
	l := look{childFaults: childFaults(pid)}
	var err error
	l.files, err = s.eyes.files(s.dir.path(wire.TempDir))
	s.missed(err, forFiles)
	l.shared, err = s.eyes.objects(pid)
	s.missed(err, forMemory)
	l.descriptors, err = s.eyes.descriptors(pid)
	s.missed(err, forDescriptors)
	l.mappings, err = s.eyes.mappings(pid)
	s.missed(err, forMemory)
	processes, err := s.eyes.processes(os.Getpid())
	s.missed(err, forProcesses)
	s.whose(processes)
	s.reap(processes)
	l.all = processes
	for _, p := range processes {
		if p.PID == s.cmd.Process.Pid || p.State == "Z" && p.Parent == os.Getpid() {
			continue // an ended orphan has nobody left who could have waited for it
		}
		l.processes = append(l.processes, p)
	}
	l.descriptors = slices.DeleteFunc(l.descriptors, func(d evidence.Descriptor) bool { return strings.HasPrefix(d.Target, s.dir.dir+"/race/") })
	l.mappings = slices.DeleteFunc(l.mappings, func(m evidence.Mapping) bool {
		return strings.HasPrefix(m.Path, s.dir.path(wire.WatchDir)) || m.Path == s.dir.path(wire.ProgressFile)
	})
	return l
}

// settle looks again and again until nothing more is left than as the test began, or
// until the tree has rested for a while, and what is left is there to stay: a process
// that has been told to end needs a moment, and a loaded machine makes it a long one,
// which is no rest.
func (s *session) settle() look {
	l := s.look()
	s.calmDown(func() bool {
		l = s.look()
		return s.leftIn(l).Empty()
	})
	return l
}

// leftIn is what of a later look the test has left behind.
func (s *session) leftIn(after look) left {
	l := s.before.left(after)
	l.Shared = s.mine(after.shared, l.Shared)
	return l
}

// How long a tree has to rest, how much it may compute meanwhile on a usual machine, and
// how much time may pass on one that lets it do next to nothing, until it is said to stay
// as it is.
const (
	stays     = 250 * time.Millisecond
	computes  = time.Second
	stillness = time.Minute
)

// calmDown waits until done, or until the tree stays as it is.
func (s *session) calmDown(done func() bool) {
	account := newAccount()
	work := time.Duration(s.slow * float64(computes))
	for wait := time.Millisecond; !done(); wait = min(2*wait, 50*time.Millisecond) {
		time.Sleep(wait)
		if now := account.Look(2 * wait); now.Rest >= stays || now.CPU >= work || now.Wall >= stillness {
			return
		}
	}
}

// left is what is there in after and was not before.
func (l look) left(after look) left {
	var d left
	for _, p := range after.processes {
		if !slices.ContainsFunc(l.processes, func(q evidence.Process) bool { return q.PID == p.PID && q.Start == p.Start }) {
			d.Processes = append(d.Processes, p)
		}
	}
	for _, f := range after.descriptors {
		if !slices.Contains(l.descriptors, f) {
			d.Descriptors = append(d.Descriptors, f)
		}
	}
	had := map[string]int64{}
	for _, m := range l.mappings {
		had[m.Path] += m.Bytes
	}
	for _, m := range after.mappings {
		if had[m.Path] -= m.Bytes; had[m.Path] < 0 {
			d.Mappings = append(d.Mappings, m)
		}
	}
	for _, f := range slices.Sorted(maps.Keys(after.files)) {
		if _, ok := l.files[f]; !ok {
			d.Files = append(d.Files, f)
		}
	}
	for _, f := range slices.Sorted(maps.Keys(after.shared.names)) {
		if !l.shared.names[f] {
			d.Shared = append(d.Shared, f)
		}
	}
	return d
}

// forget ends what a test has left running, so that the next one is judged by
// itself, and what cannot be ended stays in that test's first look.
func (s *session) forget(after look) {
	for _, p := range s.leftIn(after).Processes {
		s.line.signal(p.PID, syscall.SIGKILL)
		end(p, s.cmd.Process.Pid)
	}
}

type left = evidence.Left

// note adds to the child processes that were seen.
func (s *session) note(processes []evidence.Process) {
	if s.test != nil {
		s.noteIn(processes)
	}
}

func (s *session) noteIn(processes []evidence.Process) {
	self := s.cmd.Process.Pid
	for _, p := range processes {
		// Between fork and exec a child still looks like its parent.
		if p.PID != self && (len(p.Args) == 0 || p.Args[0] != s.cmd.Args[0]) {
			p.Foreign = !s.own[p.PID]
			s.seen[p.PID] = p
		}
	}
	_, _ = s.dir.news(wire.ChildFile) // siblings read it; what is read cannot be taken back unseen
	for _, c := range s.starts.take() {
		p, ok := s.seen[c.PID]
		if !ok {
			p = evidence.Process{PID: c.PID, Parent: c.Parent, Name: c.Name}
		}
		p.Foreign = false
		s.own[c.PID] = true
		s.seen[c.PID] = p
	}
}

func (s *session) children() []evidence.Process {
	var all []evidence.Process
	for _, pid := range slices.Sorted(maps.Keys(s.seen)) {
		all = append(all, s.seen[pid])
	}
	return all
}

func (s *session) rename(gs []evidence.Goroutine) []evidence.Goroutine {
	trace.RenameGoroutines(gs, s.job.file)
	return gs
}
