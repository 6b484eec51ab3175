package formats

import (
	"fmt"
	"io"
	"time"
)

// Classroom 50's result.json (foundation50/classroom50, wiki, Advanced Autograding): the
// schema's name, all scores whole, the time in UTC; the assignment's names come from the
// environment.
type classroom50 struct {
	Schema     string            `json:"schema"`
	Classroom  string            `json:"classroom"`
	Assignment string            `json:"assignment"`
	Submission string            `json:"submission"`
	Commit     string            `json:"commit"`
	Release    string            `json:"release"`
	Review     string            `json:"review"`
	Datetime   string            `json:"datetime"`
	Score      int               `json:"score"`
	MaxScore   int               `json:"max-score"`
	Tests      []classroom50Test `json:"tests"`
}

type classroom50Test struct {
	Name     string `json:"test-name"`
	Passed   bool   `json:"passed"`
	Score    int    `json:"score"`
	MaxScore int    `json:"max-score"`
}

// Classroom50 writes the first source: a test for each step.
func Classroom50(w io.Writer, c Check, env func(string) string) error {
	d := classroom50{
		Schema: "classroom50/result/v1", Classroom: env("CLASSROOM"), Assignment: env("ASSIGNMENT"), Submission: env("SUBMISSION_TAG"),
		Commit: env("COMMIT_URL"), Release: env("RELEASE_URL"), Review: env("REVIEW_URL"), Datetime: c.Start.UTC().Format(time.RFC3339), Tests: []classroom50Test{},
	}
	for _, src := range c.Sources[:min(1, len(c.Sources))] {
		for _, v := range src.Katas {
			for _, s := range scores(v) {
				d.Tests = append(d.Tests, classroom50Test{s.Name, s.Passed, s.Points, s.Max})
				d.Score, d.MaxScore = d.Score+s.Points, d.MaxScore+s.Max
			}
		}
	}
	return indented(w, d)
}

func number(kata, step int) string { return fmt.Sprintf("%d.%d", kata, step) }
