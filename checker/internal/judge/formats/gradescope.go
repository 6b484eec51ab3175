package formats

import (
	"encoding/json"
	"io"

	"prokata/checker/internal/judge/grade"
)

// Gradescope's results.json (gradescope-autograders.readthedocs.io/en/latest/specs): the
// sum of max_score is the assignment's points; a status of its own lets a test without
// points be red; output is a text.
type gradescope struct {
	Score            *float64         `json:"score,omitempty"`
	ExecutionTime    int              `json:"execution_time"`
	Output           string           `json:"output,omitempty"`
	Visibility       string           `json:"visibility"`
	StdoutVisibility string           `json:"stdout_visibility"`
	Tests            []gradescopeTest `json:"tests"`
	ExtraData        map[string]any   `json:"extra_data,omitempty"`
}

type gradescopeTest struct {
	Name       string   `json:"name"`
	Number     string   `json:"number"`
	Score      int      `json:"score"`
	MaxScore   int      `json:"max_score"`
	Status     string   `json:"status"` // passed, failed
	Output     string   `json:"output,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	Visibility string   `json:"visibility"`
}

// gradescopeText bounds one test's output, in bytes: the whole is shown on one page.
const gradescopeText = 16 << 10

// Gradescope writes the first source: a test for each step. Standard output is hidden, as
// a program under test might write there.
func Gradescope(w io.Writer, c Check) error {
	d := gradescope{Visibility: "visible", StdoutVisibility: "hidden", Tests: []gradescopeTest{}, ExtraData: map[string]any{"seed": c.Seed}}
	var katas []grade.Kata
	if len(c.Sources) > 0 {
		katas = c.Sources[0].Katas
	}
	total := 0.0
	for _, v := range katas {
		total += v.Seconds
		if trouble(v) {
			d.Output += v.Name + " could not be graded, which is not your fault: tell your instructor. " + v.Why + "\n"
		}
		if whole := of(v, ""); len(whole) > 0 {
			d.Output += v.Name + "\n" + text(whole)
		}
		for i, s := range scores(v) {
			one := gradescopeTest{
				Name: s.Name, Number: number(v.Number, i+1), Score: s.Points, MaxScore: s.Max, Status: "failed", Tags: []string{v.Name, s.Group}, Visibility: "visible",
			}
			if s.Passed {
				one.Status = "passed"
			} else {
				one.Output = cut(s.why(v), gradescopeText)
			}
			d.Tests = append(d.Tests, one)
		}
	}
	d.Output = cut(d.Output, gradescopeText)
	d.ExecutionTime = int(total)
	if len(d.Tests) == 0 { // nothing that a sum could be made of
		zero := 0.0
		d.Score = &zero
	}
	return indented(w, d)
}

func indented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
