// Package slow proves that no verdict hangs on the machine's speed: it makes the machine
// slow in three ways and looks whether right programs are still found to be right.
package slow

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"prokata/checker/internal/check"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/build"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/plan"
)

// Options say what to prove.
type Options struct {
	Root       string
	Supervisor []string // the command that supervises one run; --group FOLDER puts it into a control group
	Hog        []string // the command that takes a processor for ever
	Reader     []string // the command that fills its group's memory with a file, for ever; --group FOLDER likewise
	Seed       uint64
	Repeat     int     // runs of each solution in each surrounding
	Hogs       int     // how many take the processors
	Quota      float64 // of a core
	Plain      bool    // without the race detector in each run
	Progress   func(string)
}

// A Row is what became of one kata's solution in one surrounding.
type Row struct {
	Surrounding string
	Kata        string
	Passed      int
	NotJudged   int
	Findings    []string // "timeout in TestManyChildren": there must be none
}

// A Surrounding makes the machine slow for what the supervisor starts, until end is
// called.
type Surrounding struct {
	Name  string
	begin func(o Options, k kata.Kata) (supervisor []string, end func(), err error)
}

// errNotHere says that this system, or this user, cannot make a surrounding.
var errNotHere = errors.New("cannot be made here")

// Surroundings are all of them.
func Surroundings() []Surrounding {
	return []Surrounding{
		{"hogs on all processors", hogs},
		{"a quota of processor time", quota},
		{"memory that must be reclaimed", reclaim},
	}
}

// Solutions runs each kata's solution in each surrounding. What a surrounding cannot be
// made of is told in skipped.
func Solutions(ctx context.Context, katas []kata.Kata, surroundings []Surrounding, o Options) (rows []Row, skipped []string, err error) {
	for _, s := range surroundings {
		some, err := s.solutions(ctx, katas, o)
		if errors.Is(err, errNotHere) {
			skipped = append(skipped, fmt.Sprintf("%s: %v", s.Name, err))
			continue
		}
		if err != nil {
			return rows, skipped, err
		}
		rows = append(rows, some...)
	}
	return rows, skipped, nil
}

func (s Surrounding) solutions(ctx context.Context, katas []kata.Kata, o Options) ([]Row, error) {
	rows := make([]Row, len(katas))
	var mu sync.Mutex
	err := check.SideBySide(ctx, 1, func(ctx context.Context, b *build.Builder, _ *check.Lane) ([]func(context.Context) error, error) {
		var work []func(context.Context) error
		for i, k := range katas {
			p, err := plan.New(o.Root, k, filepath.Join(o.Root, "solutions"))
			if err != nil {
				return nil, err
			}
			rows[i] = Row{Surrounding: s.Name, Kata: k.Name}
			work = append(work, func(ctx context.Context) error {
				return s.solution(ctx, b, p, o, func(v grade.Kata) {
					mu.Lock()
					defer mu.Unlock()
					rows[i].add(v)
				})
			})
		}
		return work, nil
	})
	return rows, err
}

// solution runs one, as often as is asked for.
func (s Surrounding) solution(ctx context.Context, b *build.Builder, p plan.Plan, o Options, saw func(grade.Kata)) error {
	plans := make([]plan.Plan, o.Repeat)
	for i := range plans {
		plans[i] = check.Attempt(p, check.Options{Seed: o.Seed}, i)
		plans[i].Race = plans[i].Race && !o.Plain
		if _, err := b.Binary(ctx, plans[i]); err != nil { // while the machine is fast
			return err
		}
	}
	supervisor, end, err := s.begin(o, p.Kata)
	if err != nil {
		return err
	}
	defer end()
	for i, p := range plans {
		if o.Progress != nil {
			o.Progress(fmt.Sprintf("%s: %s, run %d of %d", s.Name, p.Kata.Name, i+1, len(plans)))
		}
		r, err := check.Run(ctx, b, p, supervisor)
		if err != nil {
			return err
		}
		saw(grade.Judge(p.Kata, []evidence.Run{r}))
	}
	return nil
}

// add counts one verdict.
func (r *Row) add(v grade.Kata) {
	switch v.Verdict {
	case grade.Pass:
		r.Passed++
	case grade.NotJudged:
		r.NotJudged++
	case grade.CheckerError:
		r.Findings = append(r.Findings, "the checker's own trouble: "+v.Why)
	}
	for _, f := range v.Findings {
		what := fmt.Sprintf("%s in %s: %s", f.Code, f.Test, f.Message)
		if !slices.Contains(r.Findings, what) {
			r.Findings = append(r.Findings, what)
		}
	}
	if v.Verdict != grade.Pass && v.Verdict != grade.NotJudged && v.Verdict != grade.CheckerError && len(v.Findings) == 0 {
		r.Findings = append(r.Findings, "it is "+string(v.Verdict))
	}
}

// Quota makes the surrounding of a small quota by itself: the supervisor that it returns
// runs in it until end is called.
func Quota(o Options) (supervisor []string, end func(), err error) { return quota(o, kata.Kata{}) }

// hogs take the processors.
func hogs(o Options, _ kata.Kata) ([]string, func(), error) {
	end, err := startAll(o.Hog, o.Hogs)
	return o.Supervisor, end, err
}

// quota leaves the whole tree a part of one core.
func quota(o Options, _ kata.Kata) ([]string, func(), error) {
	g, err := newQuota(o.Quota)
	if err != nil {
		return nil, nil, err
	}
	return append(slices.Clone(o.Supervisor), "--group", g.dir), g.remove, nil
}

// reclaim bounds the memory of the whole tree and fills it with a file that is read
// without end: each page that a program needs has to be won back from it, its own text
// among them.
func reclaim(o Options, k kata.Kata) ([]string, func(), error) {
	// A quarter of the kata's own limit is more than its solution needs.
	g, err := newMemory(int64(max(512, k.Limits.MemoryMiB/4)) << 20)
	if err != nil {
		return nil, nil, err
	}
	end, err := startAll(append(slices.Clone(o.Reader), "--group", g.dir), 1)
	if err != nil {
		g.remove()
		return nil, nil, err
	}
	return append(slices.Clone(o.Supervisor), "--group", g.dir), func() { end(); g.remove() }, nil
}
