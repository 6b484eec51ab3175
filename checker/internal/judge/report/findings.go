package report

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
)

const (
	few  = 4  // findings shown of one kata, unless verbose
	many = 20 // lines of the proof of one finding, unless verbose
	less = 7  // of them who climbs sees so many: with the step and the commands they fit a screen of 24 lines
)

// A group is what several tests found at one place, which is told once, with what
// follows from it.
type group struct {
	detect.Finding
	tests   []string
	follows []detect.Finding
}

// grouped gathers the findings around their causes. What follows from code that is not
// written is left out.
func grouped(all []detect.Finding) []group {
	var groups []group
	for _, f := range detect.Causes(all) {
		i := slices.IndexFunc(groups, func(g group) bool {
			return g.Code == f.Code && g.File == f.File && g.Line == f.Line && g.Message == f.Message
		})
		if i < 0 {
			groups = append(groups, group{f, []string{f.Test}, nil})
		} else if !slices.Contains(groups[i].tests, f.Test) {
			groups[i].tests = append(groups[i].tests, f.Test)
		}
	}
	for _, f := range all {
		i := slices.IndexFunc(groups, func(g group) bool {
			return f.Follows != "" && g.Code == f.Follows && slices.Contains(g.tests, f.Test)
		})
		if i >= 0 && !slices.ContainsFunc(groups[i].follows, func(g detect.Finding) bool { return g.Code == f.Code && g.File == f.File && g.Line == f.Line }) {
			groups[i].follows = append(groups[i].follows, f)
		}
	}
	return groups
}

// Findings writes what was found.
func (t Text) Findings(v grade.Kata) {
	groups := grouped(v.Findings)
	for i, g := range groups {
		if i == few && !t.Verbose {
			t.line(0, "")
			t.line(4, "and %d more findings (VERBOSE=1 shows them)", len(groups)-i)
			break
		}
		t.group(g)
	}
	if t.Verbose {
		t.unwritten(v)
	}
	if len(groups) > 0 {
		t.line(0, "")
		t.sentence(4, "%s %s", t.paint(bold, "next:"), groups[0].Next)
		t.line(4, "%s", t.paint(dim, fmt.Sprintf("(make hint KATA=%s · make explain CODE=%s)", v.Name, groups[0].Code)))
		t.draw(v, groups)
		t.line(0, "")
	}
}

// seen are the findings that one understands best by looking at the run over time.
var seen = []string{"deadlock", "livelock", "orphan", "zombie", "race", "shared-race"}

// draw names the command that draws such a finding.
func (t Text) draw(v grade.Kata, groups []group) {
	if !slices.ContainsFunc(groups, func(g group) bool { return slices.Contains(seen, g.Code) }) {
		return
	}
	from := ""
	if v.Source != "" && v.Source != filepath.Join("katas", v.Folder) {
		from = " FROM=" + v.Source
	}
	t.line(4, "%s", t.paint(dim, fmt.Sprintf("(see it: make timeline KATA=%s%s)", v.Name, from)))
}

// group writes one finding, with what follows from it.
func (t Text) group(g group) {
	t.line(0, "")
	t.line(4, "%s: %s", t.paint(red, g.Code), t.paint(bold, g.Message))
	if g.Test != "" {
		where := "in " + g.Test
		if g.File != "" {
			where += fmt.Sprintf(", %s:%d", g.File, g.Line)
		}
		t.line(8, "%s", where)
	}
	t.proof(g.Detail)
	if n := len(g.tests); n > 1 {
		shown := g.tests[1:min(n, 4)]
		more := ""
		if n > 4 {
			more = fmt.Sprintf(" and %d more", n-4)
		}
		t.line(8, "also in %s%s", strings.Join(shown, ", "), more)
	}
	for i, f := range g.follows {
		if (i == few || t.climb && i == 1) && !t.Verbose {
			t.line(8, "and %d more that may follow from it", len(g.follows)-i)
			break
		}
		place := ""
		if f.File != "" {
			place = fmt.Sprintf(" (%s:%d)", f.File, f.Line)
		}
		if f.Code == "wrong" {
			t.line(8, "the test saw%s: %s", place, f.Message)
			if len(f.Detail) <= 2 && !t.Verbose { // expected and actual
				for _, d := range f.Detail {
					t.lines(12, d)
				}
			}
		} else {
			t.line(8, "which may explain: %s%s: %s", f.Code, place, f.Message)
		}
		if t.Verbose {
			for _, d := range f.Detail {
				t.lines(12, d)
			}
		}
	}
}

// most is how many lines of a proof are shown.
func (t Text) most() int {
	if t.climb {
		return less
	}
	return many
}

// proof writes the proof of a finding.
func (t Text) proof(detail []string) {
	n := 0
	for _, d := range detail {
		n += len(Lines(d))
	}
	at := 0
	for i, d := range detail {
		// Of one that has several lines, all are shown or, to who climbs, what there is room for.
		cut := t.climb && at+len(Lines(d)) > t.most()
		if (i == t.most() || cut) && !t.Verbose {
			if room := t.most() - at; cut && room > 0 {
				t.lines(8, strings.Join(strings.SplitN(d, "\n", room+1)[:room], "\n"))
				at += room
			}
			t.line(8, "… and %d more lines (VERBOSE=1 shows them)", n-at)
			break
		}
		t.lines(8, d)
		at += len(Lines(d))
	}
}

// unwritten tells what was seen in tests that met code which is not written.
func (t Text) unwritten(v grade.Kata) {
	said := false
	for _, f := range v.Findings {
		if f.Follows != detect.NotStarted {
			continue
		}
		if !said {
			said = true
			t.line(0, "")
			t.line(4, "seen in tests that met code which is not written yet, and no findings:")
		}
		place := ""
		if f.File != "" {
			place = fmt.Sprintf(" (%s:%d)", f.File, f.Line)
		}
		t.line(8, "%s in %s: %s%s", f.Code, f.Test, f.Message, place)
	}
}
