package trace

import (
	"path/filepath"
	"strings"

	"prokata/checker/internal/evidence"
)

// Learner returns the innermost frame in a file of the learner's: one below the
// folder root that is not a test.
func Learner(frames []evidence.Frame, root string) (evidence.Frame, bool) {
	for _, f := range frames {
		if below(f.File, root) && !strings.HasSuffix(f.File, "_test.go") {
			return f, true
		}
	}
	return evidence.Frame{}, false
}

func below(file, root string) bool {
	rel, err := filepath.Rel(root, file)
	return err == nil && filepath.IsLocal(rel)
}

// Rename changes the file of every frame. The race detector and stacks name a
// file by the place that the overlay gives it, while the learner knows another.
func Rename(frames []evidence.Frame, rename func(file string) string) {
	for i := range frames {
		frames[i].File = rename(frames[i].File)
	}
}

// RenameRaces is Rename for every frame of the races.
func RenameRaces(races []evidence.Race, rename func(file string) string) {
	for _, r := range races {
		for _, a := range r.Accesses {
			Rename(a.Frames, rename)
			Rename(a.Created, rename)
		}
	}
}

// RenameGoroutines is Rename for every frame of the goroutines.
func RenameGoroutines(gs []evidence.Goroutine, rename func(file string) string) {
	for _, g := range gs {
		Rename(g.Frames, rename)
		if g.CreatedBy != nil {
			g.CreatedBy.File = rename(g.CreatedBy.File)
		}
	}
}

// A position begins a line of the compiler's or the vet tool's:
//
//	../../tmp/overlay/spawn.go:31:7: undefined: x
//		other declaration of x at ./spawn.go:12:2
var position = lazy(`[^\s:()"']+\.go(:\d+)`)

// RenameText changes every file that is named with a line in a compiler's output.
func RenameText(text string, rename func(file string) string) string {
	return position().ReplaceAllStringFunc(text, func(s string) string {
		i := strings.LastIndexByte(s, ':')
		return rename(s[:i]) + s[i:]
	})
}
