package detect

import (
	"regexp"
	"strconv"
	"strings"

	"prokata/checker/internal/evidence"
)

var build = Detector{
	Code:  "build",
	Title: "the program does not compile",
	Doc: `The tests and your file are compiled together. When the compiler refuses, nothing
runs; its own words are shown, with the place in your file.

WRONG   func Run(n int) { … }                    // the tests call Run(ctx, n)
RIGHT   func Run(ctx context.Context, n int) error { … }

Some things are refused before the compiler sees them, because the tests could not run
beside them, or could not watch them: a program that ends before the tests begin (register
the child's function instead of calling os.Exit in init), C code and assembly, packages of
this repository other than checker/shm and checker/todo, a signal to every process, names
of the environment that begin with PROKATA_, what hides code from the race detector.

Keep the names, the types and the package clause that the stub came with. What you
add beside them is yours.`,
	Detect: func(run evidence.Run) []Finding {
		if run.Build.OK || refused(run) {
			return breached(run, true, Finding{Code: "build", Message: "your program was not compiled, because of what its source holds"})
		}
		f := Finding{Code: "build", Message: "your program did not compile", Next: "fix the first line that the compiler names"}
		for line := range strings.Lines(run.Build.Output) {
			f.Detail = append(f.Detail, strings.TrimRight(line, "\n"))
			if m := place.FindStringSubmatch(line); m != nil && f.File == "" {
				f.File = m[1]
				f.Line, _ = strconv.Atoi(m[2])
			}
		}
		return []Finding{f}
	},
}

// place is where a compiler's message begins:
//
//	katas/01-spawn/spawn.go:31:2: undefined: cmd
var place = regexp.MustCompile(`^(\S+\.go):(\d+)`)
