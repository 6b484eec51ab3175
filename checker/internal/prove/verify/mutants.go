package verify

import (
	"cmp"
	"context"
	"fmt"
	gobuild "go/build"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"prokata/checker/internal/check"
	"prokata/checker/internal/prove/mutate"
	"prokata/checker/internal/source/build"
	"prokata/checker/internal/source/kata"
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

func (m *Mutated) add(tried mutate.Mutant, fate Fate, reason string) {
	switch fate {
	case Killed:
		m.Killed++
	case Survived:
		m.Survived = append(m.Survived, tried)
	case Same:
		m.Equivalent = append(m.Equivalent, Equivalent{tried, reason})
	case Unbuilt:
		m.Unbuilt++
	}
}

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
	sources, mutants, err := mutantsOf(o.Root, k)
	if err != nil {
		return result, err
	}
	for id := range reasons {
		if !has(mutants, id) {
			return result, fmt.Errorf("testdata/mutants/%s.txt: no mutant has the ID %s any more: remove the line, or find its new ID", k.Folder, id)
		}
	}
	if mutants, err = t.choose(mutants); err != nil {
		return result, err
	}
	var mu sync.Mutex
	done := 0
	err = check.SideBySide(ctx, t.AtOnce, func(ctx context.Context, b *build.Builder, _ *check.Lane) (work []func(context.Context) error, _ error) {
		dir := filepath.Join(b.Dir, k.Package())
		exports, err := b.Exports(ctx, o.Root, "./solutions/"+k.Folder)
		if err != nil {
			return nil, err
		}
		unbuilt, err := combine(dir, k, sources, mutants, exports)
		if err != nil {
			return nil, err
		}
		h, err := newHunter(ctx, b, dir, k, o)
		if err != nil {
			return nil, err
		}
		for i, m := range mutants {
			work = append(work, func(ctx context.Context) error {
				fate, killer, err := Same, reasons[m.ID], error(nil)
				switch {
				case unbuilt[m.ID]:
					fate = Unbuilt
				case killer == "":
					if fate, killer, err = h.hunt(ctx, m, i+1); err != nil {
						return err
					}
				}
				mu.Lock()
				defer mu.Unlock()
				result.add(m, fate, killer)
				if t.Tried != nil {
					t.Tried(m, fate, killer)
				}
				if done++; o.Progress != nil {
					o.Progress(done, len(mutants), k.Folder)
				}
				return nil
			})
		}
		return work, nil
	})
	byPlace := func(a, b mutate.Mutant) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, strings.Compare(a.ID, b.ID))
	}
	slices.SortFunc(result.Survived, byPlace)
	slices.SortFunc(result.Equivalent, func(a, b Equivalent) int { return byPlace(a.Mutant, b.Mutant) })
	return result, err
}

// mutantsOf makes the mutants of a kata's solution, and returns its files too: those
// that this system compiles.
func mutantsOf(root string, k kata.Kata) (sources map[string][]byte, all []mutate.Mutant, err error) {
	dir := filepath.Join(root, "solutions", k.Folder)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("read the solution: %w", err)
	}
	sources = map[string][]byte{}
	for _, e := range entries {
		if match, err := gobuild.Default.MatchFile(dir, e.Name()); err != nil || !match || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		src, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, nil, fmt.Errorf("read the solution: %w", err)
		}
		ms, err := mutate.Mutants(e.Name(), src)
		if err != nil {
			return nil, nil, fmt.Errorf("make mutants: %w", err)
		}
		sources[e.Name()] = src
		all = append(all, ms...)
	}
	return sources, all, nil
}

func has(mutants []mutate.Mutant, id string) bool {
	return slices.ContainsFunc(mutants, func(m mutate.Mutant) bool { return m.ID == id })
}

func (t Trial) choose(all []mutate.Mutant) ([]mutate.Mutant, error) {
	if len(t.IDs) > 0 {
		for _, id := range t.IDs {
			if !has(all, id) {
				return nil, check.Usage{Err: fmt.Errorf("no mutant of this kata has the ID %s: checker mutate KATA --verbose shows them all", id)}
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
