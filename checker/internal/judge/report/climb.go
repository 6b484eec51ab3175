package report

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
)

// Climb writes one kata of those that are climbed in steps, for who climbs: the steps
// that hold, then the one that is next, with its first finding. Before is the step that
// was reached the last time, 0 if that is not known; brief is one line alone.
func (t Text) Climb(v grade.Kata, before int, brief bool) {
	t.climb = true
	at, ok := v.Stands()
	// What concerns no test, as a source that does not compile, is below every step.
	whole := slices.ContainsFunc(v.Findings, func(f detect.Finding) bool { return f.Test == "" })
	if !ok || whole || v.Verdict != grade.Fail && v.Verdict != grade.Flaky && v.Verdict != grade.NotStarted {
		if brief {
			t.headWhy(v)
		} else {
			t.Kata(v)
		}
		return
	}
	where := fmt.Sprintf("step %d of %d", at.Number, len(v.Steps))
	of, reached := 0, 0
	for _, s := range v.Steps {
		if s.Group == at.Group {
			of++
			if s.Number < at.Number {
				reached++
			}
		}
	}
	colour := yellow
	if at.Number == 1 && at.Verdict == grade.NotStarted {
		where, colour = "not started", dim
	}
	t.line(0, "%2d %-13s %s%s", v.Number, v.Name, t.paint(colour, where), t.paint(dim, fmt.Sprintf(" · %s %d/%d · %d of %d points", at.Group, reached, of, v.Score, v.Max)))
	if before > at.Number && !v.Untouched { // who begins anew knows
		t.line(4, "%s", t.paint(red, fmt.Sprintf("step %d, %s, held before and does not hold any more", at.Number, at.Name)))
	}
	if brief {
		return
	}
	var done []string
	for _, s := range v.Steps[:at.Number-1] {
		done = append(done, "✓ "+s.Name)
	}
	for len(done) > 0 {
		n, width := 0, 4
		for n < len(done) && (n == 0 || width+2+len([]rune(done[n])) <= 80) {
			width += 2 + len([]rune(done[n]))
			n++
		}
		t.line(4, "%s", t.paint(green, strings.Join(done[:n], "  ")))
		done = done[n:]
	}
	t.sentence(4, "%s %s", t.paint(bold, fmt.Sprintf("→ %d %s (%s, %d points):", at.Number, at.Name, at.Group, at.Points)), at.Goal)
	t.first(v, at)
	t.line(0, "")
}

// first writes why the step does not hold: its first finding, or what is not written.
func (t Text) first(v grade.Kata, at grade.Step) {
	step := map[string]bool{}
	var open []string
	for _, test := range v.Tests {
		if test.Step == at.Number {
			step[test.Name] = true
			open = append(open, test.Unwritten...)
		}
	}
	code := ""
	var mine []group
	for _, g := range grouped(v.Findings) {
		if g.Test == "" || step[g.Test] {
			mine = append(mine, g)
		}
	}
	switch {
	case len(mine) > 0:
		t.group(mine[0])
		if n := len(mine) - 1; n > 0 {
			t.line(4, "and %d more of this step (ALL=1 VERBOSE=1 shows everything)", n)
		}
		t.line(0, "")
		t.sentence(4, "%s %s", t.paint(bold, "next:"), mine[0].Next)
		code = " · make explain CODE=" + mine[0].Code
	case v.Untouched:
		t.line(4, "read %s, then fill in the stub beside it", filepath.Join("katas", v.Folder, "README.md"))
	case len(open) > 0:
		t.line(4, "not written yet: %s", list(unique(open)))
	}
	t.line(4, "%s", t.paint(dim, fmt.Sprintf("(make hint KATA=%s STEP=%d%s)", v.Name, at.Number, code)))
	if len(mine) > 0 {
		t.draw(v, mine[:1])
	}
}

func unique(names []string) (all []string) {
	seen := map[string]bool{}
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			all = append(all, n)
		}
	}
	return all
}
