package main

import (
	"fmt"
	"io"
	"path/filepath"

	"prokata/checker/internal/class/book"
	"prokata/checker/internal/judge/report"
)

// summary tells what came out, and what a teacher has to look at.
func summary(w io.Writer, c *book.Class, out string) error {
	none, open := 0, 0
	count := map[book.Outcome]int{}
	for _, s := range c.Students {
		if s.From == "" {
			none++
			continue
		}
		if !s.Graded() {
			open++
		}
		for _, g := range s.Grades {
			count[g.Outcome]++
			if !g.Graded() {
				fmt.Fprintf(w, "%s, %s: %s: %s\n", report.Printable(s.Key), g.Kata, g.Outcome, report.Printable(g.Why))
			}
		}
		for _, e := range s.Earlier {
			fmt.Fprintf(w, "%s: %s does not count, %s came later\n", report.Printable(s.Key), report.Printable(e), report.Printable(s.From))
		}
	}
	for _, p := range c.Problems {
		fmt.Fprintf(w, "nobody's: %s\n", report.Printable(p))
	}
	for _, ch := range c.Changes {
		fmt.Fprintf(w, "changed: %s, %s: %s -> %s, because %s\n", report.Printable(ch.Student), ch.Kata, ch.Before, ch.After, report.Printable(ch.Cause))
	}
	fmt.Fprintf(w, "%d students, %d katas: %d passed, %d failed, %d broken submissions, %d not graded by our fault; %d handed in nothing\n",
		len(c.Students), len(c.Katas), count[book.Passed], count[book.Failed], count[book.Broken], count[book.OurFault], none)
	fmt.Fprintf(w, "see %s and %s\n", filepath.Join(out, "report.html"), filepath.Join(out, "gradebook.csv"))
	if open > 0 || len(c.Problems) > 0 {
		return errOpen
	}
	return nil
}
