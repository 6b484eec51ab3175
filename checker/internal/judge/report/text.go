package report

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
)

// A Text writes verdicts for a person, at most 80 columns wide where no path or
// message of the program's own is longer.
type Text struct {
	W       io.Writer
	Colour  bool
	Verbose bool // every test by itself, every finding

	Width int // columns of the terminal, at which sentences are broken; 0: they are not

	climb bool // for who climbs: no more than a screen
}

const (
	red, green, yellow, bold, dim = "31", "32", "33", "1", "2"
)

// line writes one line of the report, so many columns in. All text that is written comes
// this way: a string among args is made printable.
func (t Text) line(in int, format string, args ...any) {
	fmt.Fprintln(t.W, strings.TrimRight(strings.Repeat(" ", in)+filled(format, args), " "))
}

// filled is the text of a line.
func filled(format string, args []any) string {
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			args[i] = Printable(arg)
		case painted: // it is printable already
			args[i] = string(arg)
		}
	}
	return fmt.Sprintf(format, args...)
}

// sentence writes a line that is broken between words where the terminal ends. What a
// program may read, as a place, is not written so.
func (t Text) sentence(in int, format string, args ...any) {
	line, used := strings.Repeat(" ", in), in
	for i, word := range strings.Fields(filled(format, args)) {
		wide := utf8.RuneCountInString(colours.ReplaceAllString(word, ""))
		switch {
		case i == 0:
		case t.Width > 2*in && used+1+wide > t.Width:
			fmt.Fprintln(t.W, line)
			line, used = strings.Repeat(" ", in+2), in+2
		default:
			line, used = line+" ", used+1
		}
		line, used = line+word, used+wide
	}
	fmt.Fprintln(t.W, line)
}

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// lines writes a text of several lines, those after the first further in.
func (t Text) lines(in int, text string) {
	for i, line := range Lines(text) {
		t.line(in+4*min(i, 1), "%s", painted(line))
	}
}

// painted is text with colours in it.
type painted string

func (t Text) paint(colour, s string) painted {
	s = Printable(s)
	if !t.Colour || s == "" {
		return painted(s)
	}
	return painted("\x1b[" + colour + "m" + s + "\x1b[0m")
}

// Kata writes one kata: a line with what held, its findings, and one next step.
func (t Text) Kata(v grade.Kata) {
	t.headWhy(v)
	if len(v.Unchecked) > 0 {
		t.line(4, "not checked on this system: %s", strings.Join(v.Unchecked, ", "))
	}
	t.tests(v)
	if t.Verbose {
		for _, n := range v.Notes {
			t.line(4, "note: %s: %s", n.Place(), n.Message)
		}
	}
	t.Findings(v)
}

// headWhy writes the line of a kata, and why no more can be said of it.
func (t Text) headWhy(v grade.Kata) {
	t.head(v)
	if v.Why != "" && v.Verdict != grade.NotJudged { // that one's line says it
		t.lines(4, v.Why)
	}
}

// head writes the line of a kata.
func (t Text) head(v grade.Kata) {
	word, colour := verdictWord(v)
	score := ""
	if v.Verdict != grade.NotStarted && v.Verdict != grade.NotRun && v.Verdict != grade.NotJudged && v.Verdict != grade.CheckerError {
		score = fmt.Sprintf(" %d/%d", v.Score, v.Max)
	}
	badges := t.paint(dim, strings.Join(held(v), " "))
	if badges != "" {
		badges = " " + badges
	}
	t.line(0, "%2d %-13s %s%s%s", v.Number, v.Name, t.paint(colour, word), score, badges)
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

// held returns the properties that were proved: those of a kata that passed, for all that
// was run and could be looked at. What a test that failed would have shown nobody knows.
func held(v grade.Kata) []string {
	if v.Verdict != grade.Pass {
		return nil
	}
	var all []string
	for _, p := range properties {
		denied := slices.ContainsFunc(v.Findings, func(f detect.Finding) bool { return slices.Contains(p.codes, f.Code) }) ||
			slices.ContainsFunc(v.Unchecked, func(code string) bool { return slices.Contains(p.codes, code) })
		if p.name == "race-free" && !v.RaceBuilt {
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
			mark := map[grade.Verdict]painted{grade.Pass: t.paint(green, "ok"), grade.Fail: t.paint(red, "FAIL"), grade.Flaky: t.paint(yellow, "flaky")}[test.Verdict]
			if mark == "" {
				mark = painted(strings.ReplaceAll(string(test.Verdict), "-", " "))
			}
			t.line(4, "%-5s %-50s %5.2f s  %s", test.Group, test.Name, test.Seconds, mark)
			if test.Why != "" {
				t.line(10, "%s", test.Why)
			}
			if len(test.Unwritten) > 0 {
				t.line(10, "not written yet: %s", list(test.Unwritten))
			}
		case test.Verdict == grade.NotJudged:
			t.line(4, "%s was not judged: %s", test.Name, test.Why)
		case test.Skipped():
			t.line(4, "%s was not run: %s", test.Name, test.Why)
		}
	}
	if v.Verdict != grade.Fail && v.Verdict != grade.Flaky || t.Verbose {
		return
	}
	n := 0
	var names []string
	for _, test := range v.Tests {
		if test.Verdict == grade.NotStarted {
			n++
			names = append(names, test.Unwritten...)
		}
	}
	if n > 0 {
		slices.Sort(names)
		t.line(4, "%d of %d tests not started; not written yet: %s", n, len(v.Tests), list(slices.Compact(names)))
	}
}

// list joins the first names of many.
func list(names []string) string {
	const most = 6
	names = slices.Clone(names)
	for i, name := range names {
		if _, function, ok := strings.Cut(name, ": "); ok {
			names[i] = function // "queue: PutAll": the kata is known
		}
	}
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
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
	kept := 0
	for _, v := range vs {
		if v.Kept {
			kept++
		}
	}
	t.line(0, "%s in %.1f s, seed %d", strings.Join(parts, ", "), seconds, seed)
	if kept > 0 {
		t.line(0, "%d not run again: nothing has changed since (FORCE=1 runs all)", kept)
	}
	if count[grade.NotJudged] > 0 {
		t.line(0, "what was not judged says nothing about the program: try it again when less else runs here")
	}
	if first := slices.IndexFunc(vs, func(v grade.Kata) bool { return v.Verdict == grade.NotStarted }); first >= 0 && count[grade.Fail]+count[grade.Flaky] == 0 {
		t.sentence(0, "next: read %s, fill in the stub, and run make check KATA=%s", filepath.Join("katas", vs[first].Folder, "README.md"), vs[first].Name)
	}
}
