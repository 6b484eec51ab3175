package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"prokata/checker/internal/judge/report"
)

// A progress tells of what takes long: of a first build, and of each of several runs.
// On a terminal it writes one line anew, elsewhere a line for each run.
type progress struct {
	w        io.Writer
	terminal bool

	mu      sync.Mutex
	start   time.Time
	count   int
	said    bool
	written bool
}

func (p *progress) building(pkg string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	// The packages of a kata are few; the standard library has hundreds.
	if p.count < 20 || time.Since(p.start) < time.Second {
		return
	}
	if !p.said {
		p.said = true
		fmt.Fprintln(p.w, "compiling the standard library with the race detector: the first time only, about half a minute")
	}
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K  %d packages: %.60s", p.count, report.Printable(pkg))
		p.written = true
	}
}

// ran tells that so many of a kata's runs are over.
func (p *progress) ran(kata string, n, of int) {
	if of < 2 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	line := fmt.Sprintf("%s: %d of %d runs (%.0f s)", kata, n, of, time.Since(p.start).Seconds())
	if !p.terminal {
		fmt.Fprintln(p.w, line)
		return
	}
	fmt.Fprintf(p.w, "\r\x1b[K  %s", line)
	p.written = true
}

func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.written {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.written = false
	}
}
