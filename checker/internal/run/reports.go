package run

import (
	"cmp"
	"slices"
	"strconv"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/trace"
	"prokata/checker/internal/watch"
	"prokata/checker/internal/wire"
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
	dir := s.dir.path(wire.WatchDir)
	size, err := watch.Size(dir)
	if err != nil {
		return nil
	}
	races, _ := watch.Read(dir, s.dir.shared, size)
	s.dir.shared = size
	for i := range races {
		for j := range races[i].Accesses {
			trace.Rename(races[i].Accesses[j].Frames, s.job.file)
		}
	}
	return races
}
