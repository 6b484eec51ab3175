package book

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/class/intake"
	"prokata/checker/internal/class/roster"
	"prokata/checker/internal/class/rubric"
	"prokata/checker/internal/class/store"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/kata"
)

var spawn = kata.Kata{Number: 1, Name: "spawn", Folder: "01-spawn", Tests: []kata.Test{{Name: "TestHello", Group: kata.Core}}}

func submission(label, text string, hour int, who ...string) intake.Submission {
	s := intake.Submission{Label: label, At: time.Unix(int64(hour)*3600, 0)}
	for _, id := range who {
		s.Who = append(s.Who, intake.Who{Kind: "gradescope", ID: id})
	}
	if text != "" {
		s.Sources = []intake.Source{{Kata: spawn, Files: []intake.File{{Name: "spawn.go", Text: []byte(text)}}}}
	}
	return s
}

// The last submission counts, a group's is each one's, the same text is judged once, and
// what cannot be judged is no grade.
func TestClass(t *testing.T) {
	r, err := roster.Read([]byte("name,id,email,spawn\nA,a,,old\nB,b,,old\nC,c,,old\nD,d,,old\nE,e,,old\nF,f,,old\n"))
	require.NoError(t, err)
	broken := submission("e.zip", "", 1, "e")
	broken.Broken = "it is damaged"
	c := New([]kata.Kata{spawn}, r, []intake.Submission{
		submission("first", "right", 1, "a", "b"), // a group
		submission("second", "slow", 3, "b"),
		submission("late copy", "right", 9, "c"),
		submission("too early", "wrong", 8, "c"),
		submission("d", "ours", 1, "d"),
		broken,
		submission("stranger", "right", 1, "x"),
	})
	require.Len(t, c.Problems, 1)
	assert.Contains(t, c.Problems[0], `stranger: the roster has no such student ("x")`)
	jobs := c.Jobs(store.Parts{Seed: 1}, nil)
	require.Len(t, jobs, 3, "the same is judged once")
	results := map[string]store.Result{}
	for _, j := range jobs {
		v := grade.Kata{Name: "spawn", Tests: []grade.Test{{Name: "TestHello", Group: "core", Verdict: grade.Pass}}, Verdict: grade.Pass}
		res := store.Result{Done: true, Verdict: v}
		switch string(j.Files["spawn.go"]) {
		case "ours":
			res = store.Result{Trouble: "no space"}
		case "slow":
			res.Verdict.Verdict, res.Verdict.Passed, res.Verdict.Repeats = grade.Flaky, 3, 5
			res.Verdict.Tests = []grade.Test{{Name: "TestHello", Group: "core", Verdict: grade.Flaky}}
		}
		results[j.Address()] = res
	}
	require.NoError(t, c.Grade(rubric.Rubric{}, func(address string) (store.Result, error) { return results[address], nil }))

	type row struct {
		from    string
		with    []string
		earlier []string
		outcome Outcome
		points  float64
		why     string
		same    []string
	}
	var got []row
	for _, s := range c.Students {
		g := s.Grades[0]
		got = append(got, row{s.From, s.With, s.Earlier, g.Outcome, g.Points, g.Why, g.Same})
		assert.InDelta(t, 3, g.Max, 0)
	}
	assert.Equal(t, []row{
		{"first", []string{"b"}, nil, Passed, 3, "", []string{"c"}},
		{"second", nil, []string{"first"}, Failed, 0, "it passed in 3 of 5 runs", nil},
		{"late copy", nil, []string{"too early"}, Passed, 3, "", []string{"a"}},
		{"d", nil, nil, OurFault, 0, "no space", nil},
		{"e.zip", nil, nil, Broken, 0, "it is damaged", nil},
		{"", nil, nil, Failed, 0, "nothing was handed in", nil},
	}, got)

	told, err := c.Fill(r, "")
	require.NoError(t, err)
	assert.Equal(t, []string{`column "spawn": spawn, 3 of 6 students`}, told)
	assert.Equal(t, "name,id,email,spawn\nA,a,,3\nB,b,,0\nC,c,,3\nD,d,,old\nE,e,,old\nF,f,,old\n", string(r.Bytes()), "where we have no grade, the teacher's cell stays")
	var b bytes.Buffer
	require.NoError(t, c.CSV(&b))
	assert.Contains(t, b.String(), "not graded: our fault,no space")
}
