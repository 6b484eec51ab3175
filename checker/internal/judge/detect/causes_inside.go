package detect

import (
	"regexp"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
)

// mutexed are the goroutines that wait for a mutex in the learner's code.
func (s *scene) mutexed() (all []stand) {
	for _, x := range s.stands {
		if (strings.HasPrefix(x.does, "sync.Mutex") || strings.HasPrefix(x.does, "sync.RWMutex")) && len(x.mine) > 0 && !x.inTest {
			all = append(all, x)
		}
	}
	return all
}

// mutexCallback: the stack goes through the learner's code, out to a function of the
// tests, and back in.
func mutexCallback(s *scene) *cause {
	for _, x := range s.mutexed() {
		in, out := false, 0
		for i, f := range x.g.Frames {
			switch {
			case s.mine(f) && out > 0:
				return &cause{at: x, proof: []string{"it called back at " + at(f) + ", and the callback came to " + at(x.at)}}
			case s.mine(f):
				in = true
			case in && isTest(f):
				out = i
			}
		}
	}
	return nil
}

// closing are names of functions that end what others wait for.
var closing = regexp.MustCompile(`(?i)(^|\.)(close|shutdown|stop|terminate|cancel|end|join)`)

// keeper is a goroutine that waits, for something else than a mutex, in a process in
// which another one waits for a mutex: it may well hold it.
func (s *scene) keeper(x stand) (stand, bool) {
	for _, y := range s.of(x.pid) {
		if len(y.mine) > 0 && y.g.ID != x.g.ID && y.does != "stood" &&
			!strings.HasPrefix(y.does, "sync.") && !y.startedBy(x) && kin(x, y) {
			return y, true
		}
	}
	return stand{}, false
}

// kin: both stand in methods of one type, and so may share its mutex.
func kin(x, y stand) bool {
	for _, f := range x.mine {
		for _, g := range y.mine {
			a, _, method := strings.Cut(base(f.Func), ").")
			b, _, _ := strings.Cut(base(g.Func), ").")
			if method && a == b {
				return true
			}
		}
	}
	return false
}

func mutexClose(s *scene) *cause {
	for _, x := range s.mutexed() {
		outer := plain(x.mine[len(x.mine)-1].Func)
		if y, ok := s.keeper(x); ok && closing.MatchString(outer) {
			return &cause{at: x, words: []string{"{function}", outer}, proof: []string{"that one waited at " + at(y.at)}}
		}
	}
	return nil
}

func mutexKept(s *scene) *cause {
	for _, x := range s.mutexed() {
		if y, ok := s.keeper(x); ok {
			return &cause{at: x, proof: []string{"of those that use it, one waited at " + at(y.at)}}
		}
	}
	return nil
}

// turnOf finds a goroutine in the kernel, in a call of the test's of the same type as x, which
// waits for a goroutine: a turn may be a channel as well as a mutex.
func (s *scene) turnOf(x stand) (stand, bool) {
	for _, y := range s.of(x.pid) {
		if y.role == called && !y.inTest && y.g.ID != x.g.ID && !y.inProcess() && y.edge != nil && kin(x, y) {
			return y, true
		}
	}
	return stand{}, false
}

func turnKeptFromClose(s *scene) *cause {
	for _, x := range s.stands {
		if x.role != called || x.inTest || !strings.HasPrefix(x.does, "chan send") {
			continue
		}
		outer := plain(x.mine[len(x.mine)-1].Func)
		if y, ok := s.turnOf(x); ok && closing.MatchString(outer) {
			return &cause{at: x, words: []string{"{function}", outer}, proof: []string{"that one waited at " + at(y.at)}}
		}
	}
	return nil
}

func turnKept(s *scene) *cause {
	for _, x := range s.stands {
		if x.role != called || x.inTest || !strings.HasPrefix(x.does, "chan ") && !strings.HasPrefix(x.does, "select") {
			continue
		}
		if y, ok := s.turnOf(x); ok {
			return &cause{at: y, words: []string{"{function}", plain(x.mine[len(x.mine)-1].Func)}, proof: []string{"it waited for the turn at " + at(x.at)}}
		}
	}
	return nil
}

func mutexLost(s *scene) *cause {
	if all := s.mutexed(); len(all) > 0 {
		return &cause{at: all[0]}
	}
	return nil
}

// hangs is the call that hangs, if what it does begins so.
func (s *scene) hangs(prefix string) (stand, bool) {
	for _, x := range s.stands {
		if x.role <= entry && !x.inTest && strings.HasPrefix(x.does, prefix) {
			return x, true
		}
	}
	return stand{}, false
}

func nilChannel(s *scene) *cause {
	for _, does := range []string{"chan receive (nil chan)", "chan send (nil chan)", "select (no cases)"} {
		if x, ok := s.hangs(does); ok {
			return &cause{at: x}
		}
	}
	return nil
}

func sendUnreceived(s *scene) *cause {
	if x, ok := s.hangs("chan send"); ok {
		return &cause{at: x}
	}
	return nil
}

func waitGroup(s *scene) *cause {
	x, ok := s.hangs("sync.WaitGroup")
	if !ok || len(s.helpers(x)) > 0 {
		return nil
	}
	return &cause{at: x}
}

func condition(s *scene) *cause {
	if x, ok := s.hangs("sync.Cond"); ok {
		return &cause{at: x}
	}
	return nil
}

func signalled(s *scene) *cause {
	for _, x := range s.stands {
		if x.does == "signal" && x.role <= entry && !x.inTest {
			return &cause{at: x}
		}
	}
	return nil
}

// otherMemory: the call that hangs waits for a goroutine, and no goroutine of its process
// is there that could end that; another process was handed nothing that it waits for.
func otherMemory(s *scene) *cause {
	f := s.focus()
	if f == nil || !f.inProcess() || len(s.graph.children[f.pid]) == 0 {
		return nil
	}
	others := slices.ContainsFunc(s.of(f.pid), func(x stand) bool { return len(x.mine) > 0 && x.g.ID != f.g.ID })
	shared := slices.ContainsFunc(s.test.Openings, func(o evidence.Opening) bool { return o.PID == f.pid && o.Kind == "fd" })
	if others || shared {
		return nil
	}
	return &cause{at: *f}
}

// unsettled: a channel, and the goroutines that might settle it wait for work.
func unsettled(s *scene) *cause {
	f := s.focus()
	if f == nil || !strings.HasPrefix(f.does, "chan receive") && !strings.HasPrefix(f.does, "select") {
		return nil
	}
	return &cause{at: *f}
}
