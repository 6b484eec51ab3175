package formats

import (
	"io"

	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/judge/report"
)

// CTRF, schema 1.0 (ctrf.io/docs/specification): no field of ours but under "extra", all
// numbers whole, times in milliseconds since 1970.
type ctrf struct {
	ReportFormat string      `json:"reportFormat"`
	SpecVersion  string      `json:"specVersion"`
	Results      ctrfResults `json:"results"`
}

type ctrfResults struct {
	Tool    ctrfTool    `json:"tool"`
	Summary ctrfSummary `json:"summary"`
	Tests   []ctrfTest  `json:"tests"`
}

type ctrfTool struct {
	Name string `json:"name"`
}

type ctrfSummary struct {
	Tests   int   `json:"tests"`
	Passed  int   `json:"passed"`
	Failed  int   `json:"failed"`
	Skipped int   `json:"skipped"`
	Pending int   `json:"pending"`
	Other   int   `json:"other"`
	Start   int64 `json:"start"`
	Stop    int64 `json:"stop"`
}

type ctrfTest struct {
	Name     string         `json:"name"`
	Status   string         `json:"status"` // passed, failed, skipped, pending, other
	Duration int64          `json:"duration"`
	Suite    []string       `json:"suite"`
	Message  string         `json:"message,omitempty"`
	Trace    string         `json:"trace,omitempty"`
	FilePath string         `json:"filePath,omitempty"`
	Line     int            `json:"line,omitempty"`
	Flaky    bool           `json:"flaky,omitempty"`
	Extra    map[string]any `json:"extra,omitempty"`
}

// CTRF writes a test for each test of each source. What is not written yet is pending,
// what could not be judged is other.
func CTRF(w io.Writer, c Check) error {
	d := ctrf{ReportFormat: "CTRF", SpecVersion: "1.0.0", Results: ctrfResults{Tool: ctrfTool{"prokata"}, Tests: []ctrfTest{}}}
	sum := &d.Results.Summary
	sum.Start = c.Start.UnixMilli()
	sum.Stop = sum.Start
	for _, src := range c.Sources {
		for _, v := range src.Katas {
			sum.Stop += millis(v.Seconds)
			for _, t := range v.Tests {
				one := ctrfTest{Name: t.Name, Duration: millis(t.Seconds), Suite: []string{v.Name}, Flaky: t.Verdict == grade.Flaky}
				if src.Name != "" {
					one.Suite = []string{src.Name, v.Name}
				}
				count := &sum.Failed
				switch {
				case passed(t):
					one.Status, count = "passed", &sum.Passed
				case t.Skipped():
					one.Status, count = "skipped", &sum.Skipped
				case t.Verdict == grade.NotStarted:
					one.Status, count = "pending", &sum.Pending
				case trouble(v):
					one.Status, count = "other", &sum.Other
				default:
					one.Status = "failed"
				}
				*count++
				sum.Tests++
				if one.Status != "passed" {
					one.Message = headline(v, t)
				}
				if found := append(of(v, t.Name), of(v, "")...); one.Status == "failed" && len(found) > 0 {
					one.Trace, one.FilePath, one.Line = text(found), report.Printable(found[0].File), found[0].Line
					one.Extra = map[string]any{"code": found[0].Code, "next": found[0].Next}
				}
				d.Results.Tests = append(d.Results.Tests, one)
			}
		}
	}
	return indented(w, d)
}
