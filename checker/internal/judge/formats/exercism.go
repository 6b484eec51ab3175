package formats

import (
	"io"
	"unicode/utf8"

	"prokata/checker/internal/judge/grade"
)

// Exercism's results.json, version 3 (exercism.org/docs/building/tooling/test-runners/
// interface): the tests stand in the order of the file; error is for when no test ran; a
// message has at most 65,535 characters, an output at most 500, which says so when cut.
type exercism struct {
	Version int            `json:"version"`
	Status  string         `json:"status"` // pass, fail, error
	Message string         `json:"message,omitempty"`
	Tests   []exercismTest `json:"tests,omitempty"`
}

type exercismTest struct {
	Name    string `json:"name"`
	Status  string `json:"status"`
	Message string `json:"message,omitempty"`
	TaskID  int    `json:"task_id,omitempty"`
}

const exercismMessage = 65_535

// Exercism writes the first source. Its tasks are the steps.
func Exercism(w io.Writer, c Check) error {
	d := exercism{Version: 3, Status: "pass", Tests: []exercismTest{}}
	ran := false
	for _, src := range c.Sources[:min(1, len(c.Sources))] {
		for _, v := range src.Katas {
			if v.Verdict != grade.Pass {
				d.Status = "fail"
			}
			if whole := of(v, ""); len(whole) > 0 {
				d.Message += text(whole)
			} else if v.Why != "" {
				d.Message += v.Why + "\n"
			}
			for _, t := range v.Tests {
				// Of what did not compile, or was refused, no test ran.
				ran = ran || passed(t) || len(of(v, t.Name)) > 0 || t.Verdict == grade.NotStarted
				if t.Skipped() {
					continue
				}
				one := exercismTest{Name: t.Name, Status: "fail", TaskID: t.Step}
				if passed(t) {
					one.Status = "pass"
				} else {
					one.Message = runes(headline(v, t)+"\n\n"+text(of(v, t.Name)), exercismMessage)
				}
				d.Tests = append(d.Tests, one)
			}
		}
	}
	if d.Status == "fail" && !ran {
		d.Status, d.Tests = "error", nil
		if d.Message == "" {
			d.Message = "no test ran"
		}
	}
	d.Message = runes(d.Message, exercismMessage)
	return indented(w, d)
}

// runes keeps so many characters.
func runes(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	const said = "\n… (cut)"
	return string([]rune(s)[:most-utf8.RuneCountInString(said)]) + said
}
