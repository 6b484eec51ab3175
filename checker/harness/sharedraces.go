package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/watch"
	"prokata/checker/internal/tree/wire"
)

// A SharedRace is an unsynchronised pair of accesses to one shared word.
type SharedRace struct {
	Word   int    // index of the word in its mapping
	First  Access // the access that was watched
	Second Access // the access that came in between
}

// An Access is one side of a race.
type Access struct {
	PID   int
	Write bool
	Line  string // "file.go:12"
}

// SharedRaces runs f and returns the races on shared memory (package shm) that
// were observed while it ran, in any process. They are then no findings: the
// test expected them. Where nothing watches, it skips the test.
//
// Races are sampled: to observe one for sure, call SharedRaces until it returns
// some. All processes that f starts have to end before f does; a race that is
// observed after f is a finding.
func SharedRaces(t testing.TB, f func()) []SharedRace {
	t.Helper()
	dir := os.Getenv(watch.Env)
	if dir == "" {
		t.Skip("not checked on this system: races on shared memory")
	}
	races, err := sharedRaces(dir, f)
	if err != nil {
		t.Fatalf("The harness could not watch the shared memory: %v", err)
	}
	return races
}

func sharedRaces(dir string, f func()) ([]SharedRace, error) {
	// A race that was found before f must be found again.
	if err := watch.Forget(dir); err != nil {
		return nil, err
	}
	from, err := watch.Size(dir)
	if err != nil {
		return nil, err
	}
	f()
	to, err := watch.Size(dir)
	if err != nil || from == to {
		return nil, err
	}
	found, err := watch.Read(dir, from, to)
	if err != nil {
		return nil, err
	}
	if supervisor != nil {
		supervisor.ask(wire.Event{Kind: wire.Expected, Record: [2]int64{from, to}})
	}
	races := make([]SharedRace, len(found))
	for i, r := range found {
		races[i] = SharedRace{Word: r.Word, First: side(r.Accesses[0]), Second: side(r.Accesses[1])}
	}
	return races, nil
}

func side(a evidence.Access) Access {
	s := Access{PID: a.PID, Write: a.Op == "write" || a.Op == "atomic write"}
	if len(a.Frames) > 0 {
		s.Line = fmt.Sprintf("%s:%d", filepath.Base(a.Frames[0].File), a.Frames[0].Line)
	}
	return s
}
