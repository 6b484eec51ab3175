package verify

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"prokata/checker/internal/check"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/prove/mutate"
	"prokata/checker/internal/source/build"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/plan"
)

// hunter runs the tests of one kata on mutants of its solution.
type hunter struct {
	b *build.Builder
	o Options
	p plan.Plan // with the limits of a mutant

	mu      sync.Mutex
	killers map[string][]string // by function, the tests that killed its mutants, last first
}

// hintsTried bounds the tests that are run before all the others.
const hintsTried = 3

// newHunter runs the unchanged solution: what does not pass kills no mutant. How long
// it takes bounds what a mutant may take: one that goes round and round for ever
// would use up the time that the kata leaves to the slowest learner.
func newHunter(ctx context.Context, b *build.Builder, dir string, k kata.Kata, o Options) (*hunter, error) {
	h := &hunter{b: b, o: o, killers: map[string][]string{}}
	var err error
	if h.p, err = plan.New(o.Root, k, dir); err != nil {
		return nil, err
	}
	h.p.Vet = false
	for i := range max(1, o.Attempts) {
		r, err := check.Run(ctx, b, h.attempt(i), o.Supervisor)
		if err != nil {
			return nil, err
		}
		if v := grade.Judge(k, []evidence.Run{r}); v.Verdict != grade.Pass {
			return nil, fmt.Errorf("solutions/%s is %q%s: a test that fails on it kills no mutant: run make check KATA=%s FROM=solutions", k.Folder, v.Verdict, first(v.Findings), k.Name)
		}
		const factor, atLeast = 5, 10
		h.p.Kata.Limits.Seconds = min(k.Limits.Seconds, atLeast+int(factor*r.Seconds))
	}
	h.p.FailFast = true
	return h, nil
}

// attempt is the plan of the i-th run. Most mutants die of a wrong result, in a
// fraction of the time that the race detector takes.
func (h *hunter) attempt(i int) plan.Plan {
	p := h.p
	p.Seed, p.Perturb, p.Race = h.o.Seed+uint64(i), i > 0, i > 0
	return p
}

// hunt tries to kill one mutant.
func (h *hunter) hunt(ctx context.Context, m mutate.Mutant, number int) (fate Fate, killer string, err error) {
	// Most of a function's mutants die of the same tests.
	if hints := h.hints(m); len(hints) > 0 {
		p := h.attempt(0)
		p.Mutant, p.Tests = number, hints
		if fate, killer, err = h.run(ctx, p, m); err != nil || fate != Survived {
			return fate, killer, err
		}
	}
	for i := range max(1, h.o.Attempts) {
		p := h.attempt(i)
		p.Mutant = number
		if fate, killer, err = h.run(ctx, p, m); err != nil || fate != Survived {
			return fate, killer, err
		}
	}
	return Survived, "", nil
}

// run runs tests on a mutant and says whether one noticed.
func (h *hunter) run(ctx context.Context, p plan.Plan, m mutate.Mutant) (Fate, string, error) {
	start := time.Now()
	r, err := check.Run(ctx, h.b, p, h.o.Supervisor)
	switch {
	case err != nil:
		return "", "", err
	case r.Fault != "":
		return "", "", fmt.Errorf("run mutant %s (%s): %s", m.ID, m.Description, r.Fault)
	}
	what, test := noticed(p, r)
	if what == "" {
		return Survived, "", nil
	}
	h.remember(m, test)
	return Killed, fmt.Sprintf("%s in %s, %.1f s", what, test, time.Since(start).Seconds()), nil
}

// noticed returns what a run shows of a mistake first, and in which test; what is
// empty when it shows none.
func noticed(p plan.Plan, r evidence.Run) (what, test string) {
	if findings := detect.All(r); len(findings) > 0 {
		return findings[0].Code, findings[0].Test
	}
	for _, t := range grade.Judge(p.Kata, []evidence.Run{r}).Tests {
		if t.Verdict != grade.Pass && !t.Skipped() && (len(p.Tests) == 0 || slices.Contains(p.Tests, t.Name)) {
			return string(t.Verdict), t.Name
		}
	}
	return "", ""
}

func (h *hunter) hints(m mutate.Mutant) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	tests := h.killers[m.Func]
	return slices.Clone(tests[:min(len(tests), hintsTried)])
}

func (h *hunter) remember(m mutate.Mutant, test string) {
	if test == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	others := slices.DeleteFunc(h.killers[m.Func], func(t string) bool { return t == test })
	h.killers[m.Func] = slices.Insert(others, 0, test)
}
