package verify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"prokata/checker/internal/build"
	"prokata/checker/internal/check"
	"prokata/checker/internal/detect"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/grade"
	"prokata/checker/internal/kata"
	"prokata/checker/internal/mutate"
	"prokata/checker/internal/plan"
)

// hunter runs the tests of one kata on mutants of its solution.
type hunter struct {
	b     *build.Builder
	o     Options
	paths []string // the solution's files

	prepare func() error // runs the solution itself, once
	kata    kata.Kata    // with the limits of a mutant

	mu      sync.Mutex
	killers map[string][]string // by function, the tests that killed its mutants, last first
}

// hintsTried bounds the tests that are run before all the others.
const hintsTried = 3

// baseline runs the unchanged solution: what does not pass kills no mutant. How long
// it takes bounds what a mutant may take: one that goes round and round for ever
// would use up the time that the kata leaves to the slowest learner.
func (h *hunter) baseline(ctx context.Context, k kata.Kata) error {
	p, err := plan.New(h.o.Root, k, filepath.Join(h.o.Root, "solutions"))
	if err != nil {
		return err
	}
	p.Seed, p.Race, p.Vet = h.o.Seed, false, false
	r, err := check.Run(ctx, h.b, p, h.o.Supervisor)
	if err != nil {
		return err
	}
	if v := grade.Judge(k, []evidence.Run{r}); v.Verdict != grade.Pass {
		return fmt.Errorf("solutions/%s is %q %s: a test that fails on it kills no mutant: run make check KATA=%s FROM=solutions", k.Folder, v.Verdict, v.Why, k.Name)
	}
	const factor, atLeast = 5, 10
	k.Limits.Seconds = min(k.Limits.Seconds, atLeast+int(factor*r.Seconds))
	h.kata = k
	return nil
}

// hunt tries to kill one mutant.
func (h *hunter) hunt(ctx context.Context, m mutate.Mutant) (fate Fate, killer string, err error) {
	if err := h.prepare(); err != nil {
		return "", "", err
	}
	dir := filepath.Join(h.b.Dir, m.ID)
	if err := h.write(dir, m); err != nil {
		return "", "", fmt.Errorf("write a mutant: %w", err)
	}
	defer os.RemoveAll(dir)
	p, err := plan.New(h.o.Root, h.kata, dir)
	if err != nil {
		return "", "", err
	}
	p.FailFast, p.Vet = true, false
	// Most mutants die of a wrong result, in a fraction of the time that the race
	// detector takes; and most of a function's mutants die of the same tests.
	p.Seed, p.Race, p.Tests = h.o.Seed, false, h.hints(m)
	if len(p.Tests) > 0 {
		if fate, killer, err = h.run(ctx, p, m); err != nil || fate != Survived {
			return fate, killer, err
		}
		p.Tests = nil
	}
	for i := range max(1, h.o.Attempts) {
		p.Seed, p.Perturb, p.Race = h.o.Seed+uint64(i), i > 0, i > 0
		if fate, killer, err = h.run(ctx, p, m); err != nil || fate != Survived {
			return fate, killer, err
		}
	}
	return Survived, "", nil
}

// write puts the solution with the mutant in it into dir.
func (h *hunter) write(dir string, m mutate.Mutant) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	for _, path := range h.paths {
		src := m.Source
		if name := filepath.Base(path); name != m.File {
			var err error
			if src, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), src, 0o600); err != nil {
			return err
		}
	}
	return nil
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
	case !r.Build.OK:
		return Unbuilt, "", nil
	}
	took := func(what, test string) string {
		return fmt.Sprintf("%s in %s, %.1f s", what, test, time.Since(start).Seconds())
	}
	for _, f := range detect.All(r) {
		h.remember(m, f.Test)
		return Killed, took(f.Code, f.Test), nil
	}
	for _, t := range grade.Judge(h.kata, []evidence.Run{r}).Tests {
		if t.Verdict != grade.Pass && t.Why == "" && (len(p.Tests) == 0 || slices.Contains(p.Tests, t.Name)) {
			h.remember(m, t.Name)
			return Killed, took(string(t.Verdict), t.Name), nil
		}
	}
	return Survived, "", nil
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
