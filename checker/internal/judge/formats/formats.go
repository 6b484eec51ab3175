// Package formats writes verdicts in the forms that other programs read: one small file a
// format, over the same values. Each holds to its format's published rules, which are
// named there, and is tested at their limits.
package formats

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/judge/report"
)

// A Check is what has been checked: one source, or those of a class.
type Check struct {
	Seed    uint64
	Start   time.Time
	Sources []Source
}

// A Source is what one person has handed in.
type Source struct {
	Name  string // of the person or folder; "" if there is one alone
	Katas []grade.Kata
}

// A Format is a way to write a check.
type Format struct {
	Name string
	Doc  string // in one line
	// Write writes it. Of a format for one submission it writes the first.
	Write func(io.Writer, Check) error
}

// All lists the formats.
func All() []Format {
	return []Format{
		{"junit", "JUnit XML, as GitLab and Jenkins read it", JUnit},
		{"ctrf", "Common Test Report Format", CTRF},
		{"gradescope", "Gradescope's results.json", Gradescope},
		{"classroom50", "Classroom 50's result.json", func(w io.Writer, c Check) error { return Classroom50(w, c, os.Getenv) }},
		{"github", "annotations of a GitHub workflow", GitHub},
		{"github-summary", "a GitHub workflow's summary, in Markdown", GitHubSummary},
		{"exercism", "Exercism's results.json, version 3", Exercism},
	}
}

// Find returns the format of that name.
func Find(name string) (Format, error) {
	var names []string
	for _, f := range All() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("there is no format %q; the formats are %s", name, strings.Join(names, ", "))
}

// passed reports whether a test counts as passed. What could not be run on this system
// counts neither way.
func passed(t grade.Test) bool { return t.Verdict == grade.Pass }

// trouble reports whether the kata has no verdict that is the learner's.
func trouble(v grade.Kata) bool {
	return v.Verdict == grade.CheckerError || v.Verdict == grade.NotJudged
}

// of are the findings of a test, causes before what follows from them; of a kata as a
// whole for "".
func of(v grade.Kata, test string) []detect.Finding {
	return slices.DeleteFunc(slices.Clone(v.Findings), func(f detect.Finding) bool { return f.Test != test })
}

// headline says in one line why a test did not pass.
func headline(v grade.Kata, t grade.Test) string {
	all := append(of(v, t.Name), of(v, "")...)
	switch {
	case len(all) > 0:
		return fmt.Sprintf("%s: %s", all[0].Code, report.Printable(all[0].Message))
	case len(t.Unwritten) > 0:
		return "not written yet: " + report.Printable(strings.Join(t.Unwritten, ", "))
	case t.Why != "":
		return report.Printable(t.Why)
	case v.Why != "":
		return report.Printable(v.Why)
	}
	return "it is " + string(t.Verdict)
}

// text tells all findings, as a person reads them.
func text(findings []detect.Finding) string {
	var b strings.Builder
	for i, f := range findings {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s: %s\n", f.Code, strings.Join(report.Lines(f.Message), "\n    "))
		if f.File != "" {
			fmt.Fprintf(&b, "    at %s:%d\n", report.Printable(f.File), f.Line)
		}
		for _, d := range f.Detail {
			fmt.Fprintf(&b, "    %s\n", strings.Join(report.Lines(d), "\n    "))
		}
		if f.Next != "" {
			fmt.Fprintf(&b, "next: %s\n", strings.Join(report.Lines(f.Next), "\n    "))
		}
	}
	return b.String()
}

// cut keeps so many bytes of a text, whole characters, and says so where it cuts.
func cut(s string, most int) string {
	const said = "\n… (cut)"
	if len(s) <= most {
		return s
	}
	n := max(0, most-len(said))
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + said[:min(len(said), most)]
}

// score is a step or a test with what it is worth.
type score struct {
	Name, Group string
	Points, Max int
	Passed      bool
	Tests       []grade.Test
}

// scores are a kata's steps, or its tests where it has none.
func scores(v grade.Kata) (all []score) {
	for _, s := range v.Steps {
		one := score{Name: fmt.Sprintf("%s, step %d: %s", v.Name, s.Number, s.Name), Group: s.Group, Max: s.Points, Passed: s.Verdict == grade.Pass}
		for _, t := range v.Tests {
			if t.Step == s.Number {
				one.Tests = append(one.Tests, t)
			}
		}
		all = append(all, one)
	}
	if len(v.Steps) == 0 {
		for _, t := range v.Tests {
			all = append(all, score{Name: v.Name + ": " + t.Name, Group: t.Group, Max: grade.Points(t.Group), Passed: passed(t), Tests: []grade.Test{t}})
		}
	}
	for i := range all {
		if all[i].Passed {
			all[i].Points = all[i].Max
		}
	}
	return all
}

// why tells what a step's tests did.
func (s score) why(v grade.Kata) string {
	var b strings.Builder
	for _, t := range s.Tests {
		if passed(t) {
			continue
		}
		fmt.Fprintf(&b, "%s: %s\n", t.Name, headline(v, t))
		b.WriteString(text(of(v, t.Name)))
	}
	return strings.TrimSpace(b.String())
}
