// Package detect says what evidence means. A detector is a value that turns one
// run's evidence into findings; it starts nothing, reads no file and keeps no
// state, so that a recorded run gives the same findings anywhere.
package detect

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
)

// A Finding is one mistake that was seen, told to a person: in the past tense,
// the program as subject.
type Finding struct {
	Code    string   `json:"code"`
	Shape   string   `json:"shape,omitempty"` // of a deadlock: its cause by name (see Shapes)
	Message string   `json:"message"`
	Test    string   `json:"test,omitempty"`
	PID     int      `json:"pid,omitempty"`
	File    string   `json:"file,omitempty"` // as the learner knows it
	Line    int      `json:"line,omitempty"`
	Guess   bool     `json:"guess,omitempty"`  // the place is the first of several that are possible
	Detail  []string `json:"detail,omitempty"` // the proof
	Next    string   `json:"next"`             // one step to take
	// Follows is the code of that finding of the same test of which this one is a
	// consequence, as far as can be told, or NotStarted; empty for a cause.
	Follows string `json:"follows,omitempty"`
}

// A Detector finds one kind of mistake.
type Detector struct {
	Code   string // stable: what a report and "explain" call it
	Title  string // the mistake in one line
	Doc    string // its page: what it is, why it happens, WRONG and RIGHT
	Detect func(evidence.Run) []Finding
}

// All runs every detector and returns the findings in the order of the tests; those of
// one test as order has them, and behind all causes what follows from them.
func All(run evidence.Run) []Finding {
	var all []Finding
	for _, d := range Detectors() {
		all = append(all, d.Detect(run)...)
	}
	follow(run, all)
	tests, rank := map[string]int{}, map[string]int{}
	for i, t := range run.Tests {
		tests[t.Name] = i + 1
	}
	for i, code := range order {
		rank[code] = i
	}
	behind := func(f Finding) int { return min(len(f.Follows), 1) }
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(tests[a.Test], tests[b.Test]), cmp.Compare(behind(a), behind(b)), cmp.Compare(rank[a.Code], rank[b.Code]))
	})
	return all
}

// order is that in which the findings of one test are told: what ended everything, what
// makes all else undefined, what the test itself said, and then what it could not see.
var order = []string{
	"build", "tamper", "race", "shared-race", "crash", "wrong", "deadlock", "livelock", "busy-wait", "limit", "timeout",
	"not-processes", "orphan", "zombie", "goroutine-leak", "fd-leak", "shm-leak", "file-leak",
}

// at sets the place of a finding to the innermost frame in the learner's files.
func (f Finding) at(run evidence.Run, frames []evidence.Frame) Finding {
	if frame, ok := learner(run, frames); ok {
		f.File, f.Line = frame.File, frame.Line
	}
	return f
}

// learner returns the innermost frame that is the learner's own.
func learner(run evidence.Run, frames []evidence.Frame) (evidence.Frame, bool) {
	i := slices.IndexFunc(frames, func(f evidence.Frame) bool {
		return filepath.Dir(f.File) == filepath.Clean(run.Source) && !strings.HasSuffix(f.File, "_test.go")
	})
	if i < 0 {
		return evidence.Frame{}, false
	}
	return frames[i], true
}
