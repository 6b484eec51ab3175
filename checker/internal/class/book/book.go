// Package book is a class's gradebook as a value: whose submission is whose, what is to
// be judged, and what the verdicts come to.
package book

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"prokata/checker/internal/class/intake"
	"prokata/checker/internal/class/roster"
	"prokata/checker/internal/class/rubric"
	"prokata/checker/internal/class/store"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/kata"
)

// An Outcome says what a student's program in one kata has come to.
type Outcome string

// The outcomes. In a gradebook only the first two are grades.
const (
	Passed   Outcome = "passed"
	Failed   Outcome = "failed"
	OurFault Outcome = "not graded: our fault"
	Broken   Outcome = "not graded: broken submission"
)

// A Class is the whole gradebook.
type Class struct {
	Title    string         `json:"title"`
	Seed     uint64         `json:"seed"`
	Repeat   int            `json:"repeat"`
	Go       string         `json:"go"`
	System   string         `json:"system"`
	Walls    string         `json:"walls"` // what kept the submissions from the machine
	Katas    []Kata         `json:"katas"`
	Students []Student      `json:"students"` // in the order of the roster
	Problems []string       `json:"problems,omitempty"`
	Changes  []store.Change `json:"changes,omitempty"`
}

// A Kata is one of those that are graded.
type Kata struct {
	Number int     `json:"number"`
	Name   string  `json:"name"`
	Title  string  `json:"title"`
	Max    float64 `json:"max"`

	kata kata.Kata
}

// A Student is one row.
type Student struct {
	roster.Student

	From    string   `json:"from,omitempty"` // the submission that counts; "" if there is none
	Late    bool     `json:"late,omitempty"`
	With    []string `json:"with,omitempty"`    // who else handed it in: a group
	Earlier []string `json:"earlier,omitempty"` // submissions that do not count
	Notes   []string `json:"notes,omitempty"`
	Grades  []Grade  `json:"grades"` // one for each kata
	Points  float64  `json:"points"`

	sources []intake.Source
	broken  string
}

// Graded reports whether the student has handed in, and everything could be graded.
func (s Student) Graded() bool {
	return s.From != "" && !slices.ContainsFunc(s.Grades, func(g Grade) bool { return !g.Graded() })
}

// A Grade is a student's in one kata.
type Grade struct {
	Kata    string      `json:"kata"`
	Outcome Outcome     `json:"outcome"`
	Points  float64     `json:"points"`
	Max     float64     `json:"max"`
	Why     string      `json:"why,omitempty"`
	Same    []string    `json:"same,omitempty"`    // students who handed in the same, byte for byte
	Verdict *grade.Kata `json:"verdict,omitempty"` // if there was something to judge

	job string
}

// Graded reports whether it is a grade: passed or failed.
func (g Grade) Graded() bool { return g.Outcome == Passed || g.Outcome == Failed }

// New joins submissions and roster. A submission that is nobody's is told in Problems; of
// several of one student the last counts, and the others are named.
func New(katas []kata.Kata, r *roster.Roster, submissions []intake.Submission) *Class {
	c := &Class{}
	for _, k := range katas {
		c.Katas = append(c.Katas, Kata{Number: k.Number, Name: k.Name, Title: k.Title, kata: k})
	}
	last := map[string]intake.Submission{}
	earlier, with := map[string][]string{}, map[string][]string{}
	for _, s := range submissions {
		var owners []roster.Student
		for _, w := range s.Who {
			if o, ok := r.Find(w); ok {
				owners = append(owners, o)
			} else {
				c.Problems = append(c.Problems, fmt.Sprintf("%s: the roster has no such student (%s), or more than one", s.Label, describe(w)))
			}
		}
		if len(s.Who) == 0 {
			c.Problems = append(c.Problems, s.Label+": nothing says whose it is "+s.Broken)
		}
		for _, o := range owners {
			old, ok := last[o.Key]
			if ok && old.At.After(s.At) {
				earlier[o.Key] = append(earlier[o.Key], s.Label)
				continue
			}
			if ok {
				earlier[o.Key] = append(earlier[o.Key], old.Label)
			}
			last[o.Key], with[o.Key] = s, nil
			for _, other := range owners {
				if other.Key != o.Key {
					with[o.Key] = append(with[o.Key], other.Key)
				}
			}
		}
	}
	for _, s := range r.Students {
		row := Student{Student: s, Earlier: earlier[s.Key], With: with[s.Key]}
		if sub, ok := last[s.Key]; ok {
			row.From, row.Late, row.Notes, row.sources, row.broken = sub.Label, sub.Late, sub.Notes, sub.Sources, sub.Broken
		}
		c.Students = append(c.Students, row)
	}
	return c
}

func describe(w intake.Who) string {
	var all []string
	for _, text := range []string{w.Name, w.ID, w.Email} {
		if text != "" {
			all = append(all, fmt.Sprintf("%.80q", text))
		}
	}
	return strings.Join(all, ", ")
}

// Jobs lists what is to be judged, each once. Parts has all that is the same for all; its
// tests are those of each kata, by folder.
func (c *Class) Jobs(parts store.Parts, tests map[string]string) (jobs []store.Job) {
	seen := map[string]bool{}
	for i := range c.Students {
		s := &c.Students[i]
		s.Grades = make([]Grade, len(c.Katas))
		for n, k := range c.Katas {
			g := &s.Grades[n]
			g.Kata = k.Name
			at := slices.IndexFunc(s.sources, func(src intake.Source) bool { return src.Kata.Name == k.Name })
			switch {
			case s.From == "":
				g.Outcome, g.Why = Failed, "nothing was handed in"
			case s.broken != "":
				g.Outcome, g.Why = Broken, s.broken
			case at < 0:
				g.Outcome, g.Why = Failed, "it was not handed in"
			case s.sources[at].Broken != "":
				g.Outcome, g.Why = Broken, s.sources[at].Broken
			default:
				files := map[string][]byte{}
				for _, f := range s.sources[at].Files {
					files[f.Name] = f.Text
				}
				parts.Kata, parts.Tests = k.kata.Folder, tests[k.kata.Folder]
				j := store.NewJob(parts, files)
				if g.job = j.Address(); !seen[g.job] {
					seen[g.job] = true
					jobs = append(jobs, j)
				}
			}
		}
	}
	return jobs
}

// Grade fills in the grades by what became of the jobs.
func (c *Class) Grade(r rubric.Rubric, result func(address string) (store.Result, error)) error {
	for n := range c.Katas {
		// What a kata is worth is known without any program.
		_, c.Katas[n].Max = r.Grade(grade.Judge(c.Katas[n].kata, []evidence.Run{{}}))
	}
	who := map[string][]string{}
	for i := range c.Students {
		for _, g := range c.Students[i].Grades {
			if g.job != "" {
				who[g.job] = append(who[g.job], c.Students[i].Key)
			}
		}
	}
	for i := range c.Students {
		s := &c.Students[i]
		s.Points = 0
		for n := range s.Grades {
			g := &s.Grades[n]
			g.Max = c.Katas[n].Max
			if g.job == "" {
				continue
			}
			res, err := result(g.job)
			if err != nil {
				return err
			}
			g.judge(r, res)
			s.Points += g.Points
			for _, key := range who[g.job] {
				if key != s.Key && !slices.Contains(s.With, key) && g.Points > 0 {
					g.Same = append(g.Same, key)
				}
			}
		}
	}
	return nil
}

func (g *Grade) judge(r rubric.Rubric, res store.Result) {
	if !res.Done {
		g.Outcome, g.Why = OurFault, res.Trouble
		return
	}
	v := res.Verdict
	g.Verdict, g.Outcome, g.Why = &v, Failed, v.Why
	switch v.Verdict {
	case grade.CheckerError, grade.NotJudged:
		g.Outcome = OurFault
		return
	case grade.Pass:
		g.Outcome = Passed
	case grade.Flaky:
		g.Why = fmt.Sprintf("it passed in %d of %d runs", v.Passed, v.Repeats)
	case grade.NotStarted:
		g.Why = "not started"
	default:
		g.Why = cmp.Or(g.Why, codes(v.Findings))
	}
	g.Points, _ = r.Grade(v)
}

// codes names the causes, each once; by name, as their order may be another in another run.
func codes(findings []detect.Finding) string {
	var all []string
	for _, f := range detect.Causes(findings) {
		if !slices.Contains(all, f.Code) {
			all = append(all, f.Code)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// Grades are the rows that the store keeps.
func (c *Class) Grades() (all []store.Grade) {
	for _, s := range c.Students {
		for _, g := range s.Grades {
			all = append(all, store.Grade{Student: s.Key, Kata: g.Kata, Job: g.job, Outcome: string(g.Outcome), Points: g.Points, Why: g.Why})
		}
	}
	return all
}
