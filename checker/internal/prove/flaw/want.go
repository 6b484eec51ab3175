package flaw

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"prokata/checker/internal/judge/detect"
)

// A Want is one expectation.
type Want struct {
	Code     string
	Tests    []string
	File     string // with Line: the place that must be named
	Line     int
	Optional bool
}

func (w Want) String() string {
	s := w.Code
	if len(w.Tests) > 0 {
		s += " " + strings.Join(w.Tests, " ")
	}
	if w.Line > 0 {
		s += fmt.Sprintf(" at %s:%d", w.File, w.Line)
	}
	return s
}

var (
	inHead = regexp.MustCompile(`^(want|may) (.+)$`)
	inLine = regexp.MustCompile(`^.*\S.*// want ([a-z-]+)$`)
)

// wantsOfHead reads the expectations of a head, and says whether it tells the mistake.
func wantsOfHead(head string) (wants []Want, tells bool, err error) {
	flaw, why := false, false
	for i, line := range strings.Split(head, "\n") {
		flaw = flaw || strings.HasPrefix(line, "Flaw: ")
		why = why || strings.HasPrefix(line, "Why: ")
		m := inHead.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		words := strings.Fields(m[2])
		w := Want{Code: words[0], Tests: words[1:], Optional: m[1] == "may"}
		if err := known(w.Code); err != nil {
			return nil, false, fmt.Errorf("line %d: %w", i+1, err)
		}
		for _, t := range w.Tests {
			if !strings.HasPrefix(t, "Test") {
				return nil, false, fmt.Errorf("line %d: %q is not the name of a test", i+1, t)
			}
		}
		wants = append(wants, w)
	}
	return wants, flaw && why, nil
}

// breaksOfHead reads the sentences that a head says are broken: breaks: "It waits."
func breaksOfHead(head string) (quotes []string, err error) {
	for line := range strings.Lines(head) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "breaks:")
		if !ok {
			continue
		}
		rest = strings.TrimSpace(rest)
		if len(rest) < 3 || rest[0] != '"' || rest[len(rest)-1] != '"' {
			return nil, fmt.Errorf("%s: it must quote the contract, as in breaks: \"It waits.\"", strings.TrimSpace(line))
		}
		quotes = append(quotes, rest[1:len(rest)-1])
	}
	return quotes, nil
}

// wantsOfLines reads the expectations at the ends of lines of code.
func wantsOfLines(name, text string) (wants []Want, err error) {
	for i, line := range strings.Split(text, "\n") {
		if m := inLine.FindStringSubmatch(line); m != nil {
			if err := known(m[1]); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
			}
			wants = append(wants, Want{Code: m[1], File: name, Line: i + 1})
		}
	}
	return wants, nil
}

func known(code string) error {
	if _, ok := detect.Find(code); !ok {
		return fmt.Errorf("there is no finding %q (checker explain lists them)", code)
	}
	return nil
}

// Meets reports whether the findings hold what w wants.
func (w Want) Meets(findings []detect.Finding) bool {
	in := func(test string) bool {
		return slices.ContainsFunc(findings, func(f detect.Finding) bool {
			return f.Code == w.Code && (test == "" || f.Test == test) &&
				(w.Line == 0 || filepath.Base(f.File) == w.File && f.Line == w.Line)
		})
	}
	if len(w.Tests) == 0 {
		return in("")
	}
	return !slices.ContainsFunc(w.Tests, func(t string) bool { return !in(t) })
}

// Allows reports whether w speaks of the finding. A "wrong" must be named with its
// test; other mistakes show in as many tests as they like.
func (w Want) Allows(f detect.Finding) bool {
	return w.Code == f.Code && (w.Code != "wrong" || slices.Contains(w.Tests, f.Test))
}
