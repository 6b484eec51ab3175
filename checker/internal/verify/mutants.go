package verify

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"prokata/checker/internal/build"
	"prokata/checker/internal/check"
	"prokata/checker/internal/kata"
	"prokata/checker/internal/mutate"
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

// A Trial says which mutants to try, and how.
type Trial struct {
	Sample int      // try only so many, chosen so that each operator has its share; 0: all
	IDs    []string // try only these, if there are any
	AtOnce int      // so many side by side

	// Tried, if set, is told what became of each mutant; killer is what noticed it,
	// "" if nothing did. It is called by one goroutine at a time.
	Tried func(m mutate.Mutant, fate Fate, killer string)
}

// A Fate is what became of a mutant.
type Fate string

// The fates of a mutant.
const (
	Killed   Fate = "killed"
	Survived Fate = "survived"
	Same     Fate = "equivalent"
	Unbuilt  Fate = "not compiled"
)

// Mutants tries the tests of a kata on small mistakes in its solution. A mutant that
// the first run does not kill gets the other attempts under perturbation, with the
// race detector. The error is the checker's own trouble, a solution that does not
// pass, or an ID that no mutant has.
func Mutants(ctx context.Context, k kata.Kata, t Trial, o Options) (Mutated, error) {
	result := Mutated{Kata: k}
	reasons, err := equivalents(o.Root, k)
	if err != nil {
		return result, err
	}
	paths, mutants, err := mutantsOf(o.Root, k)
	if err != nil {
		return result, err
	}
	for id := range reasons {
		if !slices.ContainsFunc(mutants, func(m mutate.Mutant) bool { return m.ID == id }) {
			return result, fmt.Errorf("testdata/mutants/%s.txt: no mutant has the ID %s any more: remove the line, or find its new ID", k.Folder, id)
		}
	}
	if mutants, err = t.choose(mutants); err != nil {
		return result, err
	}
	var mu sync.Mutex
	done := 0
	err = check.SideBySide(ctx, t.AtOnce, func(b *build.Builder) (all []func(context.Context) error) {
		h := hunter{b: b, o: o, paths: paths, killers: map[string][]string{}}
		h.prepare = sync.OnceValue(func() error { return h.baseline(ctx, k) })
		for _, m := range mutants {
			all = append(all, func(ctx context.Context) error {
				fate, killer := Same, reasons[m.ID]
				if killer == "" {
					if fate, killer, err = h.hunt(ctx, m); err != nil {
						return err
					}
				}
				mu.Lock()
				defer mu.Unlock()
				switch fate {
				case Killed:
					result.Killed++
				case Survived:
					result.Survived = append(result.Survived, m)
				case Same:
					result.Equivalent = append(result.Equivalent, Equivalent{m, killer})
				case Unbuilt:
					result.Unbuilt++
				}
				if t.Tried != nil {
					t.Tried(m, fate, killer)
				}
				if done++; o.Progress != nil {
					o.Progress(done, len(mutants), k.Folder)
				}
				return nil
			})
		}
		return all
	})
	byPlace := func(a, b mutate.Mutant) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, strings.Compare(a.ID, b.ID))
	}
	slices.SortFunc(result.Survived, byPlace)
	slices.SortFunc(result.Equivalent, func(a, b Equivalent) int { return byPlace(a.Mutant, b.Mutant) })
	return result, err
}

// mutantsOf makes the mutants of a kata's solution, and returns its files too.
func mutantsOf(root string, k kata.Kata) (paths []string, all []mutate.Mutant, err error) {
	paths, _ = filepath.Glob(filepath.Join(root, "solutions", k.Folder, "*.go"))
	paths = slices.DeleteFunc(paths, func(path string) bool { return strings.HasSuffix(path, "_test.go") })
	for _, path := range paths {
		if strings.HasSuffix(path, "_other.go") {
			continue // for other systems: nothing here runs it
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, fmt.Errorf("read the solution: %w", err)
		}
		ms, err := mutate.Mutants(filepath.Base(path), src)
		if err != nil {
			return nil, nil, fmt.Errorf("make mutants: %w", err)
		}
		all = append(all, ms...)
	}
	return paths, all, nil
}

func (t Trial) choose(all []mutate.Mutant) ([]mutate.Mutant, error) {
	if len(t.IDs) > 0 {
		for _, id := range t.IDs {
			if !slices.ContainsFunc(all, func(m mutate.Mutant) bool { return m.ID == id }) {
				return nil, fmt.Errorf("no mutant of this kata has the ID %s", id)
			}
		}
		return slices.DeleteFunc(all, func(m mutate.Mutant) bool { return !slices.Contains(t.IDs, m.ID) }), nil
	}
	if t.Sample > 0 {
		return mutate.Spread(all, t.Sample), nil
	}
	return all, nil
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
