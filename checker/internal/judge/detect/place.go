package detect

import (
	"fmt"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
)

// opened says where a thing came from: the place that the run recorded for it, or
// else the places in the learner's files where such things are made. With one of
// them that is the place; with several they are named as what they are, candidates.
// Of those the test that left the thing has come to some, and only they count.
func opened(run evidence.Run, f Finding, kind, verb string, at *evidence.Frame, reached []evidence.Frame) Finding {
	if at != nil {
		f.File, f.Line = at.File, at.Line
		f.Detail = append(f.Detail, fmt.Sprintf("%s at %s:%d", verb, at.File, at.Line))
		return f
	}
	var sites []evidence.Frame
	for _, s := range run.Sites {
		if s.Kind == kind {
			sites = append(sites, s.Frame)
		}
	}
	if len(reached) > 0 && kind != "file" { // a folder is made at places that have no hook
		sites = slices.DeleteFunc(sites, func(s evidence.Frame) bool {
			return !slices.ContainsFunc(reached, func(r evidence.Frame) bool { return r.File == s.File && r.Line == s.Line })
		})
	}
	if len(sites) == 0 {
		return f
	}
	f.File, f.Line = sites[0].File, sites[0].Line
	if len(sites) == 1 {
		f.Detail = append(f.Detail, fmt.Sprintf("%s at %s:%d", verb, f.File, f.Line))
		return f
	}
	var names []string
	for _, s := range sites {
		names = append(names, fmt.Sprintf("%s:%d", s.File, s.Line))
	}
	f.Guess = true
	f.Detail = append(f.Detail, fmt.Sprintf("%s at one of %s", verb, strings.Join(names, ", ")))
	return f
}
