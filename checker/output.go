package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"

	"prokata/checker/internal/judge/report"
)

// An output remembers that something could not be written: a report that nobody can read
// is no report, and the exit code must say so.
type output struct {
	to *os.File

	mu  sync.Mutex
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.to.Write(b)
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.err == nil {
			o.err = fmt.Errorf("the output could not be written: %w", err)
		}
	}
	return n, err
}

// problem is the first that there was.
func (o *output) problem() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// colour says whether w is a terminal whose reader wants colour.
func colour(w io.Writer) bool {
	o, ok := w.(*output)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(o.to.Fd()))
}

// width is the number of columns of the terminal that w is, or 0.
func width(w io.Writer) int {
	if o, ok := w.(*output); ok {
		if n, _, err := term.GetSize(int(o.to.Fd())); err == nil {
			return n
		}
	}
	return 0
}

// complain tells of an error. It may quote what a submission can write.
func complain(err error) {
	fmt.Fprintln(os.Stderr, "checker: "+strings.Join(report.Lines(err.Error()), "\n    "))
}
