package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"prokata/checker/internal/check"
	"prokata/checker/internal/judge/report"
	"prokata/checker/internal/source/kata"
)

// A progress tells what goes on until a verdict is there. On a terminal it is one line,
// written anew each second, elsewhere a line for what takes long: a first build, and
// each of several runs.
type progress struct {
	w        io.Writer
	terminal bool
	width    func() int // columns of the terminal
	of       int        // katas
	repeat   int        // runs of each

	mu       sync.Mutex
	start    time.Time
	done     int
	doing    []activity // of each kata that is being checked, in the order of their begin
	compiled int
	race     bool // the last package was compiled for the race detector
	said     map[bool]bool
	written  bool
}

type activity struct {
	kata, what string
	ran        int // runs that are over
}

func newProgress(w *os.File, katas, repeat int) *progress {
	fd := int(w.Fd())
	return &progress{
		w: w, terminal: term.IsTerminal(fd), of: katas, repeat: repeat, start: time.Now(), said: map[bool]bool{},
		width: func() int {
			if n, _, err := term.GetSize(fd); err == nil && n > 0 {
				return n
			}
			return 80
		},
	}
}

// tick writes the line anew now and then, until the function that it returns is called.
func (p *progress) tick() (stop func()) {
	if !p.terminal {
		return func() {}
	}
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(200 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-over:
				return
			case <-t.C:
				p.mu.Lock()
				p.draw()
				p.mu.Unlock()
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(over)
		<-ended
		p.aside(func() {})
	})
}

// aside clears the line, so that something else can be written.
func (p *progress) aside(write func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.written {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.written = false
	}
	write()
}

// few is the number of packages that are a kata's own, and are compiled anew each time;
// the standard library has hundreds.
const few = 20

// compiling is told of each package that is compiled.
func (p *progress) compiling(_ string, race bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if race != p.race {
		p.compiled, p.race = 0, race
	}
	p.compiled++
	if !p.terminal && p.compiled > few && !p.said[race] {
		p.said[race] = true
		fmt.Fprintln(p.w, p.library())
	}
}

// library says what the first build compiles.
func (p *progress) library() string {
	with := ""
	if p.race {
		with = " with the race detector"
	}
	return "compiling the standard library" + with + ", the first time only, about half a minute"
}

// begun is told what begins for a kata.
func (p *progress) begun(k kata.Kata, s check.Stage) {
	what := "building"
	if s.Running {
		what = "running"
	}
	if s.Race {
		what += " with the race detector"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.Running {
		p.compiled = 0
	}
	if i := slices.IndexFunc(p.doing, func(a activity) bool { return a.kata == k.Name }); i >= 0 {
		p.doing[i].what = what
	} else {
		p.doing = append(p.doing, activity{kata: k.Name, what: what})
	}
}

// ran is told that so many of a kata's runs are over.
func (p *progress) ran(k kata.Kata, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.IndexFunc(p.doing, func(a activity) bool { return a.kata == k.Name }); i >= 0 {
		p.doing[i].ran = n
	}
	if p.repeat < 2 || p.terminal {
		return
	}
	fmt.Fprintf(p.w, "%s: %d of %d runs (%.0f s)\n", k.Name, n, p.repeat, time.Since(p.start).Seconds())
}

// ended is told that a kata has its verdict.
func (p *progress) ended(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.doing = slices.DeleteFunc(p.doing, func(a activity) bool { return a.kata == name })
}

// draw writes the line.
func (p *progress) draw() {
	var parts []string
	if p.of > 1 {
		parts = append(parts, fmt.Sprintf("%d of %d", p.done, p.of))
	}
	parts = append(parts, fmt.Sprintf("%.0f s", time.Since(p.start).Seconds()))
	for _, a := range p.doing {
		if p.repeat > 1 {
			a.what += fmt.Sprintf(", run %d of %d", min(a.ran+1, p.repeat), p.repeat)
		}
		parts = append(parts, a.kata+": "+a.what)
	}
	if p.compiled > few {
		parts = append(parts, fmt.Sprintf("%s (%d packages)", p.library(), p.compiled))
	}
	line := []rune(report.Printable(strings.Join(parts, " · ")))
	fmt.Fprintf(p.w, "\r\x1b[K%s", string(line[:min(len(line), p.width()-1)]))
	p.written = true
}
