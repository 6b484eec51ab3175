package run

import (
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/observe"
	"prokata/checker/internal/tree/place"
	"prokata/checker/internal/tree/watch"
)

// eyes are the looks by which a session sees what its detectors judge. One that fails
// has not shown that there is nothing: what it looks for is then unchecked.
type eyes struct {
	processes   func(root int) ([]evidence.Process, error)
	descriptors func(pid int) ([]evidence.Descriptor, error)
	mappings    func(pid int) ([]evidence.Mapping, error)
	files       func(root string) (map[string]fs.FileInfo, error)
	objects     func(pid int) (objects, error)
	words       func(dir string) (int64, error) // how much was reported of races on shared memory
	calls       func(pid int) error             // the system call that a thread sleeps in
	time        func(pid int) error             // the processor time that it takes, exactly
}

func open(box *Box) eyes {
	shared := sharedObjects
	if box != nil {
		shared = func(pid int) (objects, error) {
			all, err := sharedObjects(pid)
			all.own = true
			return all, err
		}
	}
	return eyes{
		processes: observe.Processes, descriptors: observe.Descriptors, mappings: observe.SharedMappings,
		files: filesBelow, objects: shared, words: watch.Size, calls: place.Calls, time: place.Time,
	}
}

// objects are the POSIX shared-memory objects that a process may have made.
type objects struct {
	own   bool // its /dev/shm is its own, so that all that is there is; else others make objects there too
	names map[string]bool
}

// What each look is for. Without the first there is no telling even whether a program
// has started its children.
var (
	forProcesses   = []string{"not-processes", "orphan", "zombie", "limit"}
	forDescriptors = []string{"fd-leak"}
	forMemory      = []string{"shm-leak"}
	forFiles       = []string{"file-leak"}
	forWords       = []string{"shared-race"}
	forCalls       = []string{"deadlock"}
	forTime        = []string{"livelock", "busy-wait"}
)

// missed notes that a look for the codes has failed, unless the test process has ended
// meanwhile: then there is nothing left to look at.
func (s *session) missed(err error, codes []string) {
	if err != nil && !s.gone() {
		s.miss(codes)
	}
}

func (s *session) miss(codes []string) {
	for _, code := range codes {
		if !slices.Contains(s.unseen, code) {
			s.unseen = append(s.unseen, code)
		}
	}
}

// gone tells whether the test process has ended, as far as can be seen.
func (s *session) gone() bool {
	if _, err := os.Stat(statPath(s.cmd.Process.Pid)); err != nil {
		return os.IsNotExist(err)
	}
	letter := state(s.cmd.Process.Pid)
	return letter == "Z" || letter == "X"
}

// mine are those of the new objects that the tree has made: all of them where it has a
// /dev/shm to itself, else those that its source is known to have opened. What else has
// come may be anybody's, and then nobody can say that nothing was left.
func (s *session) mine(now objects, fresh []string) []string {
	if now.own {
		return fresh
	}
	return slices.DeleteFunc(slices.Clone(fresh), func(name string) bool { return !s.made[name] })
}

// whose looks, where others make objects too and there is one of which nobody knows who
// has made it, whether a process of the tree has it open.
func (s *session) whose(processes []evidence.Process) {
	if !s.shares {
		return
	}
	now, err := s.eyes.objects(s.cmd.Process.Pid)
	unknown := func(name string) bool { return !s.made[name] && !s.there[name] }
	if err != nil || !slices.ContainsFunc(slices.Collect(maps.Keys(now.names)), unknown) {
		return
	}
	for _, p := range processes {
		descriptors, _ := s.eyes.descriptors(p.PID)
		for _, d := range descriptors {
			s.noteObject(d.Target)
		}
		mappings, _ := s.eyes.mappings(p.PID)
		for _, m := range mappings {
			s.noteObject(m.Path)
		}
	}
}

// noteObject notes an object that the tree has opened.
func (s *session) noteObject(path string) {
	if name, ok := strings.CutPrefix(path, shmDir+"/"); ok {
		s.made[name] = true
	}
}

// shmDir is where the system keeps POSIX shared-memory objects.
const shmDir = "/dev/shm"

// first looks at what can be seen at all, before the first test.
func (s *session) first() {
	if s.there != nil {
		return
	}
	pid := s.cmd.Process.Pid
	s.missed(s.eyes.calls(pid), forCalls)
	s.missed(s.eyes.time(pid), forTime)
	now, err := s.eyes.objects(pid)
	s.missed(err, forMemory)
	s.there, s.shares = now.names, !now.own
	if s.there == nil {
		s.there = map[string]bool{}
	}
}

// sweep removes what the tree has left in a /dev/shm that it shares with others.
func (s *session) sweep() {
	if !s.shares {
		return
	}
	for name := range s.made {
		if !s.there[name] {
			_ = os.Remove(shmDir + "/" + name) // most are gone
		}
	}
}
