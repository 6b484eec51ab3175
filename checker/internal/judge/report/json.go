// Package report shows verdicts: to a person on a terminal, to programs as JSON.
package report

import (
	"encoding/json"
	"io"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/grade"
)

// A Document is the JSON form of a check; docs/report.md describes it.
type Document struct {
	Version  int               `json:"version"`
	Seed     uint64            `json:"seed"`
	Go       string            `json:"go"`
	Platform string            `json:"platform"`
	Sandbox  *evidence.Sandbox `json:"sandbox,omitempty"` // what untrusted code was run in
	Katas    []grade.Kata      `json:"katas"`
}

// JSON writes the document.
func JSON(w io.Writer, d Document) error {
	d.Version = 1
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(d)
}
