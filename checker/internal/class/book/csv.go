package book

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"prokata/checker/internal/class/roster"
	"prokata/checker/internal/class/rubric"
)

// CSV writes the gradebook: a row for each student; for each kata its points, outcome and
// the qualities that were shown. It holds nothing that hangs on when or how fast it was
// graded, so that the same class graded again gives the same bytes.
func (c *Class) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	header := []string{"student", "name", "email", "points", "max", "state", "submission", "late"}
	for _, k := range c.Katas {
		header = append(header, k.Name, k.Name+" max", k.Name+" outcome", k.Name+" why")
		for _, q := range rubric.Names() {
			header = append(header, k.Name+" "+q)
		}
	}
	_ = out.Write(header)
	for _, s := range c.Students {
		most := 0.0
		for _, g := range s.Grades {
			most += g.Max
		}
		row := []string{safe(s.Key), safe(s.Name), safe(s.Email), number(s.Points), number(most), s.State(), safe(s.From), yes(s.Late)}
		for _, g := range s.Grades {
			row = append(row, number(g.Points), number(g.Max), string(g.Outcome), safe(g.Why))
			has := map[string]bool{}
			if g.Verdict != nil {
				has = rubric.Qualities(*g.Verdict)
			}
			for _, q := range rubric.Names() {
				row = append(row, yes(has[q]))
			}
		}
		_ = out.Write(row)
	}
	out.Flush()
	return out.Error()
}

// State says in a word what a teacher has to know of a row.
func (s Student) State() string {
	switch {
	case s.From == "":
		return "nothing handed in"
	case !s.Graded():
		return "not graded"
	}
	return "graded"
}

// safe shields a text from programs that take it for a formula, and keeps it on one line.
func safe(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// JSON writes the whole gradebook, with every verdict and finding.
func (c *Class) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(c)
}

// Fill fills the grades into the teacher's own file. Left as they were are the cells of
// those who handed in nothing, and of those who could not be graded: no guess of ours is
// to stand where a teacher has to decide. It says what was filled in.
func (c *Class) Fill(r *roster.Roster, column string) (told []string, _ error) {
	var names []string
	for _, k := range c.Katas {
		names = append(names, k.Name)
	}
	columns, err := r.Columns(names, column)
	if err != nil {
		return nil, err
	}
	for _, col := range columns {
		filled := 0
		for _, s := range c.Students {
			points, most, graded := s.in(col.Kata)
			if !graded {
				continue
			}
			if err := r.Fill(col, s.Student, points, most); err != nil {
				return nil, err
			}
			filled++
		}
		what := col.Kata
		if what == "" {
			what = "all katas together"
		}
		told = append(told, fmt.Sprintf("column %q: %s, %d of %d students", col.Title, what, filled, len(c.Students)))
	}
	return told, nil
}

// in are the points in one kata, or in all for "".
func (s Student) in(kata string) (points, most float64, graded bool) {
	of := slices.DeleteFunc(slices.Clone(s.Grades), func(g Grade) bool { return kata != "" && g.Kata != kata })
	for _, g := range of {
		points, most = points+g.Points, most+g.Max
		if !g.Graded() {
			return 0, 0, false
		}
	}
	return points, most, s.From != ""
}
