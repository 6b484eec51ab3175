package report

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
)

// A Text writes verdicts for a person, at most 80 columns wide where no path or
// message of the program's own is longer.
type Text struct {
	W       io.Writer
	Colour  bool
	Verbose bool // every test by itself, every finding
}

const (
	red, green, yellow, bold, dim = "31", "32", "33", "1", "2"

	few = 4 // findings shown of one kata, unless verbose
)

func (t Text) paint(colour, s string) string {
	if !t.Colour || s == "" {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

// Kata writes one kata: a line with what held, its findings, and one next step.
func (t Text) Kata(v grade.Kata) {
	word, colour := verdictWord(v)
	line := fmt.Sprintf("%2d %-13s %s", v.Number, v.Name, t.paint(colour, word))
	if v.Verdict != grade.NotStarted && v.Verdict != grade.NotRun && v.Verdict != grade.NotJudged && v.Verdict != grade.CheckerError {
		line += fmt.Sprintf(" %d/%d", v.Score, v.Max)
		if h := held(v); len(h) > 0 {
			line += " " + t.paint(dim, strings.Join(h, " "))
		}
	}
	fmt.Fprintln(t.W, strings.TrimRight(line, " "))
	if v.Why != "" && v.Verdict != grade.NotJudged {
		fmt.Fprintf(t.W, "    %s\n", v.Why)
	}
	if len(v.Unchecked) > 0 {
		fmt.Fprintf(t.W, "    not checked on this system: %s\n", strings.Join(v.Unchecked, ", "))
	}
	t.tests(v)
	if t.Verbose {
		for _, n := range v.Notes {
			fmt.Fprintf(t.W, "    note: %s: %s\n", n.Place(), n.Message)
		}
	}
	t.Findings(v)
}

func verdictWord(v grade.Kata) (word, colour string) {
	switch v.Verdict {
	case grade.Pass:
		return "pass", green
	case grade.Flaky:
		if v.Repeats > 1 {
			return fmt.Sprintf("flaky %d/%d", v.Passed, v.Repeats), yellow
		}
		return "flaky", yellow
	case grade.NotStarted:
		return "not started", dim
	case grade.NotRun:
		return "not run", yellow
	case grade.NotJudged:
		return "not judged: " + v.Why, yellow
	case grade.CheckerError:
		return "checker error", yellow
	default:
		return "fail", red
	}
}

// properties are what a kata's line speaks of, each with the findings that deny it.
var properties = []struct {
	name  string
	codes []string
}{
	{"correct", []string{"build", "wrong", "crash", "timeout", "limit", "tamper", "deadlock", "livelock"}},
	{"race-free", []string{"build", "tamper", "race", "shared-race"}},
	{"deadlock-free", []string{"build", "tamper", "deadlock", "livelock", "timeout"}},
	{"leak-free", []string{"build", "tamper", "orphan", "zombie", "goroutine-leak", "fd-leak", "shm-leak", "file-leak"}},
	{"processes", []string{"build", "tamper", "not-processes"}},
}

// held returns the properties that the kata kept in all that was run and looked at.
func held(v grade.Kata) []string {
	var all []string
	for _, p := range properties {
		denied := slices.ContainsFunc(v.Findings, func(f detect.Finding) bool { return slices.Contains(p.codes, f.Code) }) ||
			slices.ContainsFunc(v.Unchecked, func(code string) bool { return slices.Contains(p.codes, code) })
		if p.name == "correct" && slices.ContainsFunc(v.Tests, func(t grade.Test) bool { return t.Verdict != grade.Pass && t.Why == "" }) {
			denied = true
		}
		if !denied {
			all = append(all, p.name)
		}
	}
	return all
}

func (t Text) tests(v grade.Kata) {
	for _, test := range v.Tests {
		switch {
		case t.Verbose:
			mark := map[grade.Verdict]string{grade.Pass: t.paint(green, "ok"), grade.Fail: t.paint(red, "FAIL"), grade.Flaky: t.paint(yellow, "flaky")}[test.Verdict]
			if mark == "" {
				mark = strings.ReplaceAll(string(test.Verdict), "-", " ")
			}
			fmt.Fprintf(t.W, "    %-5s %-50s %5.2f s  %s\n", test.Group, test.Name, test.Seconds, mark)
			if test.Why != "" {
				fmt.Fprintf(t.W, "          %s\n", test.Why)
			}
		case test.Verdict == grade.NotJudged:
			fmt.Fprintf(t.W, "    %s was not judged: %s\n", test.Name, test.Why)
		case test.Verdict == grade.NotRun && test.Why != "":
			fmt.Fprintf(t.W, "    %s was not run: %s\n", test.Name, test.Why)
		}
	}
	if v.Verdict != grade.Fail || t.Verbose {
		return
	}
	var open []string
	for _, test := range v.Tests {
		if test.Verdict == grade.NotStarted {
			open = append(open, test.Name)
		}
	}
	if len(open) > 0 {
		fmt.Fprintf(t.W, "    %d of %d tests not started\n", len(open), len(v.Tests))
	}
}

// Findings writes what was found. What several tests found at one place is told
// once.
func (t Text) Findings(v grade.Kata) {
	type group struct {
		detect.Finding
		tests []string
	}
	var groups []group
	for _, f := range v.Findings {
		i := slices.IndexFunc(groups, func(g group) bool {
			return f.Code != "wrong" && g.Code == f.Code && g.File == f.File && g.Line == f.Line && g.Message == f.Message
		})
		if i < 0 {
			groups = append(groups, group{f, []string{f.Test}})
		} else if !slices.Contains(groups[i].tests, f.Test) {
			groups[i].tests = append(groups[i].tests, f.Test)
		}
	}
	for i, g := range groups {
		if i == few && !t.Verbose {
			fmt.Fprintf(t.W, "\n    and %d more findings (VERBOSE=1 shows them)\n", len(groups)-i)
			break
		}
		fmt.Fprintf(t.W, "\n    %s: %s\n", t.paint(red, g.Code), t.paint(bold, g.Message))
		if g.Test != "" {
			where := "in " + g.Test
			if g.File != "" {
				where += fmt.Sprintf(", %s:%d", g.File, g.Line)
			}
			fmt.Fprintf(t.W, "        %s\n", where)
		}
		for _, d := range g.Detail {
			fmt.Fprintf(t.W, "        %s\n", strings.TrimRight(d, " \t"))
		}
		if n := len(g.tests); n > 1 {
			shown := g.tests[1:min(n, 4)]
			more := ""
			if n > 4 {
				more = fmt.Sprintf(" and %d more", n-4)
			}
			fmt.Fprintf(t.W, "        also in %s%s\n", strings.Join(shown, ", "), more)
		}
	}
	if len(groups) > 0 {
		fmt.Fprintf(t.W, "\n    %s %s\n", t.paint(bold, "next:"), groups[0].Next)
		fmt.Fprintf(t.W, "    %s\n\n", t.paint(dim, fmt.Sprintf("(make hint KATA=%s · make explain CODE=%s)", v.Name, groups[0].Code)))
	}
}

// Summary writes the last line.
func (t Text) Summary(vs []grade.Kata, seed uint64, seconds float64) {
	count := map[grade.Verdict]int{}
	for _, v := range vs {
		count[v.Verdict]++
	}
	var parts []string
	for _, v := range []grade.Verdict{grade.Pass, grade.Fail, grade.Flaky, grade.NotStarted, grade.NotRun, grade.NotJudged, grade.CheckerError} {
		if n := count[v]; n > 0 {
			word := map[grade.Verdict]string{grade.Pass: "passed", grade.Fail: "failed", grade.Flaky: "flaky", grade.NotStarted: "not started", grade.NotRun: "not run", grade.NotJudged: "not judged", grade.CheckerError: "checker error"}[v]
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	fmt.Fprintf(t.W, "%s in %.1f s, seed %d\n", strings.Join(parts, ", "), seconds, seed)
	if count[grade.NotJudged] > 0 {
		fmt.Fprintln(t.W, "what was not judged says nothing about the program: try it again when less else runs here")
	}
	if first := slices.IndexFunc(vs, func(v grade.Kata) bool { return v.Verdict == grade.NotStarted }); first >= 0 && count[grade.Fail]+count[grade.Flaky] == 0 {
		fmt.Fprintf(t.W, "next: read %s, fill in the stub, and run make check KATA=%s\n", filepath.Join("katas", vs[first].Folder, "README.md"), vs[first].Name)
	}
}
