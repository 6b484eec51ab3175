package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"prokata/checker/internal/class/grading"
	"prokata/checker/internal/class/store"
	"prokata/checker/internal/judge/grade"
)

// A progress tells how far the grading is: one line that is written anew on a terminal,
// elsewhere a line for each tenth.
type progress struct {
	w        io.Writer
	terminal bool
	start    time.Time
	of       int
	atOnce   int

	done, running int
	troubles      int
}

func newProgress(w *os.File, of, atOnce int) *progress {
	return &progress{w: w, terminal: term.IsTerminal(int(w.Fd())), start: time.Now(), of: of, atOnce: atOnce}
}

func (p *progress) hooks() grading.Progress {
	return grading.Progress{
		Began: func(j store.Job) {
			p.running++
			if p.terminal {
				fmt.Fprintf(p.w, "\r\x1b[K  %s", p.line("now "+j.Kata))
			}
		},
		Ended: func(j store.Job, _ grade.Kata, err error) {
			p.running--
			if err != nil {
				p.troubles++ // it waits again, or is given up: the report says so
			} else {
				p.done++
			}
			switch {
			case p.terminal:
				fmt.Fprintf(p.w, "\r\x1b[K  %s", p.line("last "+j.Kata))
			case p.done*10/p.of != (p.done-1)*10/p.of:
				fmt.Fprintln(p.w, p.line("last "+j.Kata))
			}
		},
	}
}

func (p *progress) line(what string) string {
	text := fmt.Sprintf("%d of %d judged, %d running (%s), %d waiting", p.done, p.of, p.running, what, max(0, p.of-p.done-p.running))
	if p.troubles > 0 {
		text += fmt.Sprintf(", %d tried again", p.troubles)
	}
	if p.done > 0 {
		each := time.Since(p.start) / time.Duration(p.done)
		text += fmt.Sprintf(", about %s left", (each * time.Duration(p.of-p.done)).Round(time.Second))
	}
	return text
}

func (p *progress) clear() {
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
