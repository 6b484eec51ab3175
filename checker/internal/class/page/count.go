package page

import (
	"cmp"
	"fmt"
	"slices"

	"prokata/checker/internal/class/book"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
)

// A count is how many of so many.
type count struct {
	Name string
	N    int
	Of   int
}

// bars are those of one kata.
type bars struct {
	Kata string
	Bars []count
}

// most is how many rows a list of the hardest shows.
const most = 12

func outcomes(c *book.Class) []count {
	n := map[string]int{}
	for _, s := range c.Students {
		n[s.State()]++
	}
	var all []count
	for _, state := range []string{"graded", "not graded", "nothing handed in"} {
		all = append(all, count{state, n[state], len(c.Students)})
	}
	return all
}

// verdicts calls f with each verdict that there is.
func verdicts(c *book.Class, f func(v *grade.Kata)) {
	for _, s := range c.Students {
		for _, g := range s.Grades {
			if g.Verdict != nil {
				f(g.Verdict)
			}
		}
	}
}

// distribution says how many programs hold each step; of a kata without steps, how many
// of the tests of each group are passed.
func distribution(c *book.Class) (all []bars) {
	for _, k := range c.Katas {
		b := bars{Kata: k.Name}
		at := func(name string) *count {
			i := slices.IndexFunc(b.Bars, func(c count) bool { return c.Name == name })
			if i < 0 {
				i = len(b.Bars)
				b.Bars = append(b.Bars, count{Name: name})
			}
			return &b.Bars[i]
		}
		add := func(name string, holds bool) {
			bar := at(name)
			bar.Of++
			if holds {
				bar.N++
			}
		}
		verdicts(c, func(v *grade.Kata) {
			if v.Name != k.Name {
				return
			}
			for _, s := range v.Steps {
				add(fmt.Sprintf("%d %s", s.Number, s.Name), s.Verdict == grade.Pass)
			}
			if len(v.Steps) == 0 {
				for _, t := range v.Tests {
					add("tests: "+t.Group, t.Verdict == grade.Pass)
				}
			}
		})
		all = append(all, b)
	}
	return all
}

// hardest are the tests that most programs did not pass.
func hardest(c *book.Class) []count {
	n := map[string]*count{}
	verdicts(c, func(v *grade.Kata) {
		for _, t := range v.Tests {
			name := v.Name + " " + t.Name
			if n[name] == nil {
				n[name] = &count{Name: name}
			}
			n[name].Of++
			if t.Verdict != grade.Pass && !t.Skipped() {
				n[name].N++
			}
		}
	})
	return top(n)
}

// codes are the findings that most programs have.
func codes(c *book.Class) []count {
	n := map[string]*count{}
	programs := 0
	verdicts(c, func(v *grade.Kata) {
		programs++
		seen := map[string]bool{}
		for _, f := range detect.Causes(v.Findings) {
			if n[f.Code] == nil {
				n[f.Code] = &count{Name: f.Code}
			}
			if !seen[f.Code] {
				seen[f.Code] = true
				n[f.Code].N++
			}
		}
	})
	for _, c := range n {
		c.Of = programs
	}
	return top(n)
}

func top(n map[string]*count) (all []count) {
	for _, c := range n {
		if c.N > 0 {
			all = append(all, *c)
		}
	}
	slices.SortFunc(all, func(a, b count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name)) })
	return all[:min(most, len(all))]
}
