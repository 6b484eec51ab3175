package main

import (
	"fmt"
	"os"

	"golang.org/x/term"
)

// counting shows how far a long command has come: on a terminal in one line that step
// writes anew and clear takes away, elsewhere in a line now and then.
func counting(w *os.File) (step func(done, of int, what string), clear func()) {
	const seldom = 25
	if !term.IsTerminal(int(w.Fd())) {
		return func(done, of int, _ string) {
			if done%seldom == 0 || done == of {
				fmt.Fprintf(w, "%d/%d\n", done, of)
			}
		}, func() {}
	}
	return func(done, of int, what string) { fmt.Fprintf(w, "\r\x1b[K%d/%d %s", done, of, what) },
		func() { fmt.Fprint(w, "\r\x1b[K") }
}
