package verify

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/prove/steps"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/plan"
)

// A Climb says how a kata is climbed.
type Climb struct {
	Kata    string
	Heights []int // of its steps, in lines that change
}

// climb reads the witnesses of a kata, says what is amiss with them, and returns the
// work that proves them.
func (v *verifier) climb(k kata.Kata) (work []func(context.Context) error) {
	if len(k.Steps) == 0 {
		return nil
	}
	next := fmt.Sprintf("bin/checker steps unpack %s DIR, mend it there, bin/checker steps pack %s DIR", k.Name, k.Name)
	all, err := steps.All(v.o.Root, k)
	if err != nil {
		v.problem(k.Folder, err.Error(), next)
	}
	c := Climb{Kata: k.Name}
	for _, w := range all {
		c.Heights = append(c.Heights, w.Height)
		if w.Height > steps.Highest {
			v.problem(k.Folder, fmt.Sprintf("step %s is %d lines high, more than %d: make two of it", w.Name, w.Height, steps.Highest), next)
		}
		work = append(work, func(ctx context.Context) error { return v.witness(ctx, k, w) })
	}
	v.t.Climbs = append(v.t.Climbs, c)
	return work
}

// witness: it passes each step up to its own, with no finding, and not the next.
func (v *verifier) witness(ctx context.Context, k kata.Kata, w steps.Witness) error {
	defer v.step(fmt.Sprintf("%s: step %d", k.Folder, w.Step))
	dir := filepath.Join(v.dir, "steps", k.Folder, w.Name)
	if err := w.Files.Write(dir); err != nil {
		return err
	}
	p, err := plan.New(v.o.Root, k, dir)
	if err != nil {
		return err
	}
	p.Seed, p.Race, p.Vet = v.o.Seed, !v.o.Quick, !v.o.Quick
	next := fmt.Sprintf("bin/checker steps unpack %s DIR; make check KATA=%s FROM=DIR/%02d-%s", k.Name, k.Name, w.Step, w.Name)
	climbed, above := through(k, w.Step)
	verdict, err := v.some(ctx, p, climbed)
	if err != nil {
		return err
	}
	if verdict.Why != "" {
		v.problem(k.Folder, fmt.Sprintf("after step %s it could not be judged: %s", w.Name, verdict.Why), next)
		return nil
	}
	for _, f := range verdict.Findings {
		v.problem(k.Folder, fmt.Sprintf("after step %s there is a finding: %s in %s: %s", w.Name, f.Code, f.Test, f.Message), next)
	}
	for _, t := range verdict.Tests {
		if slices.Contains(climbed, t.Name) && t.Verdict != grade.Pass && t.Why == "" && len(verdict.Findings) == 0 {
			v.problem(k.Folder, fmt.Sprintf("after step %s, %s is %q", w.Name, t.Name, t.Verdict), next)
		}
	}
	if len(above) == 0 {
		return nil
	}
	p.FailFast = true
	if verdict, err = v.some(ctx, p, above); err != nil {
		return err
	}
	if !slices.ContainsFunc(verdict.Tests, func(t grade.Test) bool { return slices.Contains(above, t.Name) && t.Verdict != grade.Pass }) {
		v.problem(k.Folder, fmt.Sprintf("after step %s the next one, %s, passes already: its tests ask for nothing new", w.Name, k.Steps[w.Step].Name), next)
	}
	return nil
}

// through returns the tests of the steps up to n, and those of the one above.
func through(k kata.Kata, n int) (climbed, above []string) {
	for _, t := range k.Tests {
		switch {
		case t.Step <= n:
			climbed = append(climbed, t.Name)
		case t.Step == n+1:
			above = append(above, t.Name)
		}
	}
	return climbed, above
}

// some runs some of the tests and judges them.
func (v *verifier) some(ctx context.Context, p plan.Plan, tests []string) (grade.Kata, error) {
	p.Tests = tests
	r, err := v.run(ctx, p)
	if err != nil {
		return grade.Kata{}, err
	}
	return grade.Judge(p.Kata, []evidence.Run{r}), nil
}
