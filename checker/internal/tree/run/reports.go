package run

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/instrument"
	"prokata/checker/internal/tree/trace"
	"prokata/checker/internal/tree/watch"
	"prokata/checker/internal/tree/wire"
)

// races reads what the race detector of any process of the tree has reported.
func (s *session) races() []evidence.Race {
	var all []evidence.Race
	for name, text := range s.dir.raceReports() {
		races, _ := trace.Races(text) // a process may have been killed in the middle of its report
		trace.RenameRaces(races, s.job.file)
		for _, r := range races {
			r.PID, _ = strconv.Atoi(name)
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b evidence.Race) int { return cmp.Compare(a.PID, b.PID) })
	return all
}

// readCrashes reads what crashed processes have written.
func (s *session) readCrashes() []evidence.Crash {
	var all []evidence.Crash
	for name, text := range s.dir.crashes() {
		message, gs, _ := trace.Dump(text)
		pid, _ := strconv.Atoi(name)
		all = append(all, evidence.Crash{PID: pid, Name: s.seen[pid].Name, Message: message, Goroutines: s.rename(gs)})
	}
	slices.SortFunc(all, func(a, b evidence.Crash) int { return cmp.Compare(a.PID, b.PID) })
	return all
}

// sharedRaces reads the races on shared memory that were reported since the last
// call.
func (s *session) sharedRaces() []evidence.SharedRace {
	if _, err := s.eyes.words(s.dir.path(wire.WatchDir)); err != nil {
		s.missed(err, forWords)
		return nil
	}
	text, at := s.dir.news(sharedRaces)
	races := watch.Races(text, at, s.shared)
	for i := range races {
		for j := range races[i].Accesses {
			trace.Rename(races[i].Accesses[j].Frames, s.job.file)
		}
	}
	return races
}

// readSites reads what the hooks in the source under test have noted. A child that
// was ended before it could announce itself stands there too.
func (s *session) readSites() {
	text, _ := s.dir.news(wire.SitesFile)
	sites, _ := instrument.ReadSites(string(text))
	s.opened = append(s.opened, sites...)
	for _, o := range sites {
		s.noteObject(o.Name)
		if !o.Child() {
			continue
		}
		p, ok := s.seen[o.Number]
		if !ok {
			p = evidence.Process{PID: o.Number, Parent: o.PID, Name: o.Name, Foreign: true}
		}
		if o.Kind == instrument.OwnChild {
			p.Foreign, s.own[o.Number] = false, true
		}
		s.seen[o.Number] = p
	}
}

// locate adds to what was left where it was opened, as far as the hooks in the
// source under test have noted it.
func (s *session) locate(l *evidence.Left) {
	for i, p := range l.Processes {
		l.Processes[i].Opened = s.site(func(o instrument.Site) bool { return o.Child() && o.Number == p.PID })
	}
	for i, d := range l.Descriptors {
		is := func(o instrument.Site) bool {
			return o.PID == s.cmd.Process.Pid && o.Kind == "fd" && o.Number == d.FD && o.Name == d.Target
		}
		l.Descriptors[i].Opened = s.site(is)
		for _, o := range slices.Backward(s.opened) {
			if file, line, ok := strings.Cut(o.From, ".go:"); ok && o.Sure && is(o) {
				n, _ := strconv.Atoi(line)
				l.Descriptors[i].From = &evidence.Frame{File: s.job.file(file + ".go"), Line: n}
				break
			}
		}
	}
	if !l.Empty() {
		for _, o := range s.opened {
			if f := (evidence.Frame{File: s.job.file(o.File), Line: o.Line}); !slices.Contains(l.Reached, f) {
				l.Reached = append(l.Reached, f)
			}
		}
	}
	for i, m := range l.Mappings {
		l.Mappings[i].Opened = s.site(func(o instrument.Site) bool {
			return o.PID == s.cmd.Process.Pid && o.Kind == "map" && o.Name == m.Path
		})
	}
}

// site is the last place of which the hooks were sure.
func (s *session) site(is func(instrument.Site) bool) *evidence.Frame {
	for _, o := range slices.Backward(s.opened) {
		if o.Sure && is(o) {
			return &evidence.Frame{File: s.job.file(o.File), Line: o.Line}
		}
	}
	return nil
}
