// Package store keeps what a class's grading has come to, in one SQLite file: jobs, each
// done once whatever happens to the grader, and the grades that came of them.
package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"prokata/checker/internal/judge/grade"
)

// Parts are all that a verdict hangs on. Two jobs of the same parts are one.
type Parts struct {
	Content string `json:"content" cause:"the submission changed"`           // digest of the files
	Kata    string `json:"kata"`                                             // its folder
	Tests   string `json:"tests" cause:"the kata's tests or limits changed"` // digest of its folder
	Checker string `json:"checker" cause:"the checker changed"`              // digest of the programs that judge
	Go      string `json:"go" cause:"Go changed"`
	System  string `json:"system" cause:"the system changed"`
	Walls   string `json:"walls" cause:"the sandbox changed"`
	Seed    uint64 `json:"seed" cause:"the seed changed"`
	Repeat  int    `json:"repeat" cause:"the number of runs changed"`
}

// A Job is one source to be judged: a value that another machine could run.
type Job struct {
	Parts

	Files map[string][]byte // by name in the kata's folder
}

// NewJob makes the job of these files; parts lacks their digest yet.
func NewJob(parts Parts, files map[string][]byte) Job {
	text, _ := json.Marshal(files) // its keys are sorted
	sum := sha256.Sum256(text)
	parts.Content = hex.EncodeToString(sum[:])
	return Job{parts, files}
}

// Address names the job by its content.
func (p Parts) Address() string {
	text, _ := json.Marshal(p)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Causes says in words what is another in q than in p.
func (p Parts) Causes(q Parts) string {
	var all []string
	a, b := reflect.ValueOf(p), reflect.ValueOf(q)
	for i := range a.NumField() {
		if cause := a.Type().Field(i).Tag.Get("cause"); cause != "" && !a.Field(i).Equal(b.Field(i)) {
			all = append(all, cause)
		}
	}
	return strings.Join(all, ", ")
}

// A Result is what became of a job.
type Result struct {
	Verdict grade.Kata
	Done    bool
	Trouble string // of the grader's own, after which it was given up
}

// A Grade is one student's standing in one kata, as it stands in the gradebook.
type Grade struct {
	Student string
	Kata    string
	Job     string // its address; "" if there was nothing to run
	Outcome string
	Points  float64
	Why     string
}

func (g Grade) String() string {
	return fmt.Sprintf("%s, %s points", g.Outcome, strings.TrimSuffix(fmt.Sprintf("%.4g", g.Points), ".0"))
}

// A Change is a grade that is another than it was.
type Change struct {
	Student string `json:"student"`
	Kata    string `json:"kata"`
	Before  string `json:"before"`
	After   string `json:"after"`
	Cause   string `json:"cause"`
}
