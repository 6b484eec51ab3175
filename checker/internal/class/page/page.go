// Package page draws a gradebook as web pages, each one file that needs nothing else: the
// class's for a teacher, and one for each student to hand back, which tells of nobody else.
package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"

	"prokata/checker/internal/class/book"
	"prokata/checker/internal/class/rubric"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/judge/report"
)

//go:embed page.html
var markup string

//go:embed page.css
var style string

//go:embed page.js
var script string

var pages = template.Must(template.New("page").Funcs(template.FuncMap{
	"say":    report.Printable,
	"number": func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) },
	"causes": detect.Causes,
	"alike":  alike,
	"words":  words,
	"list":   func(s []string) string { return report.Printable(strings.Join(s, ", ")) },
	"share":  func(n, of int) int { return 100 * n / max(1, of) },
	"passes": func(v grade.Verdict) bool { return v == grade.Pass },
	"shown":  shown,
}).Parse(markup))

// A view is what the templates draw. Everything in it that somebody else has written is
// escaped by html/template, and made printable.
type view struct {
	*book.Class

	Style  template.CSS
	Script template.JS
	Policy string // nothing is loaded, no script but ours runs

	Counts []count
	Bars   []bars
	Tests  []count
	Codes  []count
	Only   *book.Student // of a student's own page
}

func newView(c *book.Class) view {
	sum := sha256.Sum256([]byte(script))
	return view{
		Class: c, Style: template.CSS(style), Script: template.JS(script),
		Policy: "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
	}
}

// Class writes the page of the whole class.
func Class(w io.Writer, c *book.Class) error {
	v := newView(c)
	v.Counts, v.Bars, v.Tests, v.Codes = outcomes(c), distribution(c), hardest(c), codes(c)
	return pages.ExecuteTemplate(w, "class", v)
}

// Student writes one student's page.
func Student(w io.Writer, c *book.Class, s book.Student) error {
	v := newView(&book.Class{Title: c.Title, Seed: c.Seed, Repeat: c.Repeat, Go: c.Go, System: c.System, Walls: c.Walls, Katas: c.Katas})
	s.Grades = slices.Clone(s.Grades)
	for i := range s.Grades {
		s.Grades[i].Same = nil // that is between the teacher and others
	}
	v.Only = &s
	return pages.ExecuteTemplate(w, "alone", v)
}

// A group is one finding that several tests have: the first of them, and the tests.
type group struct {
	detect.Finding

	Tests []string
}

// alike joins the causes that say the same.
func alike(findings []detect.Finding) (all []group) {
	for _, f := range detect.Causes(findings) {
		i := slices.IndexFunc(all, func(g group) bool { return g.Code == f.Code && g.Message == f.Message })
		if i < 0 {
			i = len(all)
			all = append(all, group{Finding: f})
		}
		if f.Test != "" && !slices.Contains(all[i].Tests, f.Test) {
			all[i].Tests = append(all[i].Tests, f.Test)
		}
	}
	return all
}

// words is one finding's text below its headline.
func words(f detect.Finding) string {
	var all []string
	if f.File != "" {
		all = append(all, fmt.Sprintf("at %s:%d", report.Printable(f.File), f.Line))
	}
	for _, d := range f.Detail {
		all = append(all, report.Lines(d)...)
	}
	return strings.Join(all, "\n")
}

// shown are the qualities that a program has shown.
func shown(g book.Grade) (names []string) {
	if g.Verdict == nil {
		return nil
	}
	has := rubric.Qualities(*g.Verdict)
	for _, q := range rubric.Names() {
		if has[q] {
			names = append(names, q)
		}
	}
	return names
}
