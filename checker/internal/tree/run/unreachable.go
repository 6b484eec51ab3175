package run

import (
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/wire"
)

// unreachable adds to what a test has left the goroutines of which the runtime has
// proved that nothing can ever wake them. One that was told before, of this test or
// of an earlier one, is only told better; one that the source under test has not
// started is not its mistake.
func (s *session) unreachable(e wire.Event) {
	for _, g := range s.rename(e.Goroutines) {
		known := false
		for _, t := range s.tests {
			for i := range t.Left.Goroutines {
				if t.Left.Goroutines[i].ID == g.ID {
					known, t.Left.Goroutines[i].Unreachable = true, true
				}
			}
		}
		i := slices.IndexFunc(s.tests, func(t *evidence.Test) bool { return t.Name == e.Test })
		if !known && i >= 0 && g.CreatedBy != nil && s.learners(g.CreatedBy.File) {
			s.tests[i].Left.Goroutines = append(s.tests[i].Left.Goroutines, g)
		}
	}
}

// learners tells whether a file, as a person names it, belongs to the source under
// test. The tests may lie in the same folder.
func (s *session) learners(file string) bool {
	return filepath.Dir(file) == filepath.Clean(s.job.Source) && !strings.HasSuffix(file, "_test.go")
}
