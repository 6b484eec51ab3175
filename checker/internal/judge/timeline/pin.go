package timeline

import (
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/report"
)

// A Pin is a finding at its moment.
type Pin struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	At      Time     `json:"at"`
	Exact   bool     `json:"exact,omitempty"` // else it was seen then, and may have happened before
	PID     int      `json:"pid,omitempty"`
	Place   string   `json:"place,omitempty"` // FILE:LINE
	Source  string   `json:"source,omitempty"`
	Detail  []string `json:"detail,omitempty"`
	Next    string   `json:"next,omitempty"`
	Follows string   `json:"follows,omitempty"` // the code of its cause
}

// pin says when a finding was made: as the test was ended for it, as the process in
// question ended, or as the test's function returned and what was left was looked at.
func pin(f detect.Finding, l *evidence.Timeline, line func(string, int) string) Pin {
	p := Pin{
		Code: f.Code, Message: report.Printable(f.Message), At: l.Seconds, PID: f.PID,
		Next: report.Printable(f.Next), Follows: f.Follows, Place: place(f.File, f.Line),
	}
	if p.Place != "" {
		p.Source = report.Printable(line(f.File, f.Line))
	}
	for _, d := range f.Detail {
		p.Detail = append(p.Detail, report.Lines(d)...)
	}
	for _, m := range l.Marks {
		switch {
		case m.Kind == "judged" && judged[f.Code]:
			p.At, p.Exact = m.At, true
		case m.Kind == "returned" && !judged[f.Code]:
			p.At, p.Exact = m.At, left[f.Code]
		}
	}
	if f.Code == "crash" {
		for _, life := range l.Lives {
			if life.PID == f.PID && life.Ended != nil {
				p.At, p.Exact = life.Ended.At, life.Ended.Exact
			}
		}
	}
	return p
}

// What a test is ended for, and what is looked for when its function has returned.
var (
	judged = map[string]bool{"deadlock": true, "livelock": true, "busy-wait": true, "timeout": true, "limit": true}
	left   = map[string]bool{"orphan": true, "zombie": true, "fd-leak": true, "shm-leak": true, "file-leak": true, "goroutine-leak": true}
)
