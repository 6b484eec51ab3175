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
	Message string   `json:"message"`
	Test    string   `json:"test,omitempty"`
	PID     int      `json:"pid,omitempty"`
	File    string   `json:"file,omitempty"` // as the learner knows it
	Line    int      `json:"line,omitempty"`
	Detail  []string `json:"detail,omitempty"` // the proof
	Next    string   `json:"next"`             // one step to take
}

// A Detector finds one kind of mistake.
type Detector struct {
	Code   string // stable: what a report and "explain" call it
	Title  string // the mistake in one line
	Doc    string // its page: what it is, why it happens, WRONG and RIGHT
	Detect func(evidence.Run) []Finding
}

// All runs every detector and returns what remains after findings that are mere
// consequences of others are left out, in the order of the tests.
func All(run evidence.Run) []Finding {
	var all []Finding
	for _, d := range Detectors() {
		all = append(all, d.Detect(run)...)
	}
	all = causes(all)
	order := map[string]int{}
	for i, t := range run.Tests {
		order[t.Name] = i + 1
	}
	rank := map[string]int{}
	for i, d := range Detectors() {
		rank[d.Code] = i
	}
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(order[a.Test], order[b.Test]), cmp.Compare(rank[a.Code], rank[b.Code]))
	})
	return all
}

// consequences names, for each code, those that usually follow from it within the
// same test. To report them too would send a learner after the wrong thing.
var consequences = map[string][]string{
	"not-processes": {"wrong"},
	"race":          {"wrong"},
	"shared-race":   {"wrong"},
	"deadlock":      {"wrong", "timeout", "limit"},
	"livelock":      {"wrong", "timeout", "busy-wait"},
	"busy-wait":     {"timeout"},
	"timeout":       {"wrong"},
	"limit":         {"wrong", "crash", "not-processes"},
	"crash":         {"wrong"},
	"tamper":        {"wrong", "crash", "fd-leak"},
	"orphan":        {"fd-leak", "goroutine-leak", "shm-leak", "file-leak"},
	"zombie":        {"fd-leak", "goroutine-leak"},
}

func causes(all []Finding) []Finding {
	explained := map[[2]string]bool{}
	for _, f := range all {
		for _, c := range consequences[f.Code] {
			explained[[2]string{f.Test, c}] = true
		}
	}
	return slices.DeleteFunc(all, func(f Finding) bool { return explained[[2]string{f.Test, f.Code}] })
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
