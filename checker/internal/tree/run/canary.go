package run

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"prokata/checker/internal/evidence"
)

// A verdict that is made in the process of a submission can be forged there. So of the
// tests that an untrusted one runs, some are canaries: the very same tests, which the
// harness makes fail at their end, by the way of any failure. Which they are is drawn
// anew for each process, and the process cannot read it from what it is told. If one of
// them is said to have passed, nothing counts that was said.

// mostCanaries bounds those of one process: each is a test that runs twice.
const mostCanaries = 3

// A lot draws the canaries of one run.
type lot struct {
	on    bool
	again bool // it has drawn before
}

// draw returns what a process is to run in the place of the tests of a batch, and which of
// that are canaries. The first time some of the batch are, and their own turn comes later.
// From then on as many others are with them, of those that have had their turn, so that a
// process with few tests is nothing special either.
func (l *lot) draw(all []evidence.Test, batch []*evidence.Test) (tests []*evidence.Test, canaries map[string]bool) {
	if !l.on {
		return batch, nil
	}
	canaries = map[string]bool{}
	defer func() { l.again = true }()
	if !l.again {
		tests = slices.Clone(batch)
		for _, i := range rand.Perm(len(tests))[:min(mostCanaries, max(1, len(tests)/8))] {
			tests[i] = copyOf(*tests[i])
			canaries[tests[i].Name] = true
		}
		return tests, canaries
	}
	tests = slices.Clone(batch)
	for _, i := range rand.Perm(len(all)) {
		if len(canaries) < min(mostCanaries, len(batch)) && calm(all[i]) {
			tests = append(tests, copyOf(all[i]))
			canaries[all[i].Name] = true
		}
	}
	return tests, canaries
}

// calm tells whether the test came to its end, and its process went on.
func calm(t evidence.Test) bool {
	return (t.Status == evidence.Passed || t.Status == evidence.Failed) && t.Unearned == "" && len(t.Tampering)+len(t.Crashes) == 0
}

// copyOf is the test before it began. What becomes of the copy is nobody's result.
func copyOf(t evidence.Test) *evidence.Test {
	return &evidence.Test{Name: t.Name, Group: t.Group, Step: t.Step, Needs: t.Needs}
}

// lies are what shows that the test process does not tell the truth.
func (s *session) lies() (all []string) {
	for _, t := range s.tests {
		if !s.canaries[t.Name] {
			continue
		}
		all = append(all, t.Tampering...)
		if t.Status == evidence.Passed {
			all = append(all, fmt.Sprintf("%s was made to fail this time, and was said to have passed", t.Name))
		}
	}
	if s.patched != "" {
		all = append(all, s.patched)
	}
	return all
}
