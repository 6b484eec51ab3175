package roster

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Column is one of the file that takes grades: of a kata, or of all together.
type Column struct {
	Title string
	Kata  string // "": the sum
	Max   float64
	at    int
}

// numbered is how Canvas writes an assignment's title: its id behind it.
var numbered = regexp.MustCompile(` \(\d+\)$`)

// Columns finds the columns that take grades. A kata's is titled after it; wanted, if it
// is given, is the title of the column for all of them together. The sum's other names
// are "prokata" and, in Moodle's grading worksheet, its column of grades.
func (r *Roster) Columns(katas []string, wanted string) (all []Column, _ error) {
	if r.table == nil {
		return nil, errors.New("there is no roster to fill in: name one (ROSTER=FILE)")
	}
	header := r.table.Rows[0]
	find := func(title string) int {
		return slices.IndexFunc(header, func(cell string) bool {
			cell = strings.TrimSpace(cell)
			return strings.EqualFold(cell, title) || strings.EqualFold(plainTitle(cell), title)
		})
	}
	if wanted != "" {
		at := find(wanted)
		if at < 0 {
			return nil, fmt.Errorf("the roster has no column %q; it has %s", wanted, quoted(header))
		}
		return []Column{r.column(header[at], "", at)}, nil
	}
	for _, k := range katas {
		if at := find(k); at >= 0 {
			all = append(all, r.column(header[at], k, at))
		}
	}
	for _, title := range []string{"prokata", "Grade", "Bewertung"} {
		if at := find(title); at >= 0 && (title == "prokata" || r.Kind == Moodle) {
			return append(all, r.column(header[at], "", at)), nil
		}
	}
	return all, nil
}

// plainTitle is a title without Canvas's id, and without what Moodle writes around it:
// "Assignment: spawn (Real)".
func plainTitle(cell string) string {
	cell = numbered.ReplaceAllString(cell, "")
	if _, title, ok := strings.Cut(cell, ": "); ok {
		cell = title
	}
	return strings.TrimSuffix(cell, " (Real)")
}

// column finds how many points the file gives: in Canvas's second or third row, in
// Moodle's column "Maximum Grade".
func (r *Roster) column(title, kata string, at int) Column {
	c := Column{Title: strings.TrimSpace(title), Kata: kata, at: at}
	for row := 1; row < len(r.table.Rows); row++ {
		if strings.EqualFold(r.table.Cell(row, 0), "Points Possible") {
			c.Max, _ = strconv.ParseFloat(r.table.Cell(row, at), 64)
			return c
		}
	}
	if r.Kind == Moodle && len(r.table.Rows) > 1 {
		i := slices.IndexFunc(r.table.Rows[0], func(cell string) bool { return strings.EqualFold(strings.TrimSpace(cell), "Maximum Grade") })
		c.Max, _ = strconv.ParseFloat(strings.Replace(r.table.Cell(1, i), ",", ".", 1), 64)
	}
	return c
}

// Fill writes a student's points into the column, of so many that there are; where the
// file gives another maximum, in proportion. Two digits behind the point are all that
// Canvas keeps.
func (r *Roster) Fill(c Column, s Student, points, of float64) error {
	if c.Max > 0 && of > 0 {
		points *= c.Max / of
	}
	return r.table.Fill(s.row, c.at, r.number(points))
}

func (r *Roster) number(x float64) string {
	text := strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(x, 'f', 2, 64), "0"), ".")
	if r.table.Comma == ';' { // a site that writes 1,5 separates by semicolons
		text = strings.Replace(text, ".", ",", 1)
	}
	return text
}

// Bytes is the file as it was read, with the grades filled in.
func (r *Roster) Bytes() []byte { return r.table.Bytes() }
