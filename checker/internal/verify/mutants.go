package verify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"prokata/checker/internal/build"
	"prokata/checker/internal/check"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/grade"
	"prokata/checker/internal/kata"
	"prokata/checker/internal/mutate"
	"prokata/checker/internal/plan"
)

// A Mutated is what became of the mutants of one kata's solution.
type Mutated struct {
	Kata       kata.Kata
	Killed     int
	Unbuilt    int // they do not compile
	Survived   []mutate.Mutant
	Equivalent []Equivalent
}

// An Equivalent is a mutant that does the same as the original.
type Equivalent struct {
	Mutant mutate.Mutant
	Reason string
}

// Rate is the share of the mutants that were killed, of those that could be.
func (m Mutated) Rate() float64 {
	if m.Killed+len(m.Survived) == 0 {
		return 1
	}
	return float64(m.Killed) / float64(m.Killed+len(m.Survived))
}

// Mutants tries the tests of a kata on small mistakes in its solution. With sample
// above 0 only so many are tried, chosen by the seed. A mutant that the first run
// does not kill gets the other attempts under perturbation.
func Mutants(ctx context.Context, k kata.Kata, sample int, o Options) (Mutated, error) {
	result := Mutated{Kata: k}
	reasons, err := equivalents(o.Root, k)
	if err != nil {
		return result, err
	}
	solution := filepath.Join(o.Root, "solutions", k.Folder)
	paths, _ := filepath.Glob(filepath.Join(solution, "*.go"))
	var mutants []mutate.Mutant
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_other.go") {
			continue
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return result, fmt.Errorf("read the solution: %w", err)
		}
		ms, err := mutate.Mutants(filepath.Base(path), src)
		if err != nil {
			return result, fmt.Errorf("make mutants: %w", err)
		}
		mutants = append(mutants, ms...)
	}
	if sample > 0 && sample < len(mutants) {
		r := rand.New(rand.NewPCG(o.Seed, 0))
		r.Shuffle(len(mutants), func(i, j int) { mutants[i], mutants[j] = mutants[j], mutants[i] })
		mutants = mutants[:sample]
	}
	var mu sync.Mutex
	done := 0
	try := func(b *build.Builder, m mutate.Mutant) func(context.Context) error {
		return func(ctx context.Context) error {
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				if done++; o.Progress != nil {
					o.Progress(done, len(mutants), k.Folder)
				}
			}()
			if reason, ok := reasons[m.ID]; ok {
				mu.Lock()
				defer mu.Unlock()
				result.Equivalent = append(result.Equivalent, Equivalent{m, reason})
				return nil
			}
			built, killed, err := kill(ctx, b, k, o, filepath.Join(b.Dir, m.ID), paths, m)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case !built:
				result.Unbuilt++
			case killed:
				result.Killed++
			default:
				result.Survived = append(result.Survived, m)
			}
			return nil
		}
	}
	err = check.SideBySide(ctx, atOnce(), func(b *build.Builder) (all []func(context.Context) error) {
		for _, m := range mutants {
			all = append(all, try(b, m))
		}
		return all
	})
	slices.SortFunc(result.Survived, func(a, b mutate.Mutant) int { return strings.Compare(a.ID, b.ID) })
	return result, err
}

// kill runs the kata's tests on one mutant.
func kill(ctx context.Context, b *build.Builder, k kata.Kata, o Options, dir string, paths []string, m mutate.Mutant) (built, killed bool, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return false, false, fmt.Errorf("write a mutant: %w", err)
	}
	defer os.RemoveAll(dir)
	for _, path := range paths {
		src := m.Source
		if filepath.Base(path) != m.File {
			if src, err = os.ReadFile(path); err != nil {
				return false, false, fmt.Errorf("read the solution: %w", err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), src, 0o600); err != nil {
			return false, false, fmt.Errorf("write a mutant: %w", err)
		}
	}
	p, err := plan.New(o.Root, k, dir)
	if err != nil {
		return false, false, err
	}
	p.FailFast, p.Vet = true, false
	for i := range max(1, o.Attempts) {
		// Most mutants die of a wrong result, in a fraction of the time that the
		// race detector takes.
		p.Seed, p.Perturb, p.Race = o.Seed+uint64(i), i > 0, i > 0
		r, err := check.Run(ctx, b, p, o.Supervisor)
		if err != nil {
			return false, false, err
		}
		if !r.Build.OK {
			return false, false, nil
		}
		if grade.Judge(k, []evidence.Run{r}).Verdict != grade.Pass {
			return true, true, nil
		}
	}
	return true, false, nil
}

// equivalents reads the list of the mutants of a kata that no test can kill.
func equivalents(root string, k kata.Kata) (map[string]string, error) {
	b, err := os.ReadFile(filepath.Join(root, "testdata", "mutants", k.Folder+".txt"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the equivalent mutants: %w", err)
	}
	return mutate.ReadEquivalent(string(b))
}
