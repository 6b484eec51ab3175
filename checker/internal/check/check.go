// Package check leads katas through the stages, from sources to verdicts, several
// side by side.
package check

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

	"prokata/checker/internal/check/proved"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/build"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/plan"
	"prokata/checker/internal/tree/run"
)

// Options say how to check.
type Options struct {
	Root       string   // the repository
	From       string   // where the sources are; the katas' own stubs if empty
	Repeat     int      // runs of each kata, at least 1
	Both       bool     // run it without the race detector first, as it comes, and count both builds as one attempt
	Climb      bool     // go up the steps of a kata that has some, and end below the first that does not hold
	Seed       uint64   // of all that is random
	Supervisor []string // the command that supervises one run
	Untrusted  bool     // refuse whatever reaches for the grader (package policy)
	Sandbox    *Sandbox // what the sources are built and run in; nil: nothing
	Jobs       int      // katas side by side; as many as there are cores if 0

	// Untouched tells of a source whether it is a stub as it came: such a kata is not
	// started, and nothing is built to say so. Nil: every source is run.
	Untouched func(plan.Plan) bool

	// Proved keeps what passed, so that it is not run again before something changes.
	// The zero value keeps nothing.
	Proved proved.Store

	Compiled func(pkg string, race bool)   // told of each package that has to be compiled, if set
	Begun    func(kata.Kata, Stage)        // told what begins for a kata, side by side with others, if set
	Ran      func(k kata.Kata, n int)      // told that n runs of a kata are over, side by side with others, if set
	Done     func(grade.Kata)              // told each verdict as it comes, in any order, one at a time, if set
	Saw      func(evidence.Run, int) error // handed each run's evidence and its number, one at a time, if set
}

// A Stage is what is being done for a kata.
type Stage struct {
	Running bool // its tests are running; before that they are built
	Race    bool // with the race detector
}

// Katas checks the katas and returns their verdicts in the same order. The error
// is trouble of the checker's own or the context's; a kata that could not be
// checked for a reason of its own has that in its verdict.
func Katas(ctx context.Context, katas []kata.Kata, o Options) ([]grade.Kata, error) {
	// Sources that are not there are a mistake in the call, if no kata has any.
	plans := make([]plan.Plan, len(katas))
	missing := 0
	var err error
	for i, k := range katas {
		plans[i], err = plan.New(o.Root, k, o.From)
		switch {
		case errors.Is(err, plan.ErrNoSource):
			missing++
			plans[i].Trouble = fmt.Sprintf("%s has no folder %s", o.From, k.Folder)
		case err != nil:
			return nil, Usage{err}
		}
	}
	if missing == len(katas) {
		return nil, Usage{err}
	}
	verdicts := make([]grade.Kata, len(katas))
	var mu sync.Mutex
	// Those with the most tests first: begun last, the longest would run on alone.
	order := make([]int, len(katas))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(katas[b].Tests) - len(katas[a].Tests) })
	err = SideBySide(ctx, cores(o.Jobs), func(_ context.Context, b *build.Builder, lane *Lane) (work []func(context.Context) error, _ error) {
		b.Progress, lane.begun = o.Compiled, o.Begun
		b.Wall = o.Sandbox.compiler(b.Dir)
		for _, i := range order {
			work = append(work, func(ctx context.Context) error {
				v := one(ctx, b, lane, plans[i], o, &mu)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				verdicts[i] = v
				mu.Lock()
				defer mu.Unlock()
				if o.Done != nil {
					o.Done(v)
				}
				return nil
			})
		}
		return work, nil
	})
	if err != nil {
		return nil, err
	}
	return verdicts, nil
}

func cores(n int) int {
	if n == 0 {
		return runtime.NumCPU()
	}
	return n
}

// Usage is an error in the call.
type Usage struct{ Err error }

func (u Usage) Error() string { return u.Err.Error() }
func (u Usage) Unwrap() error { return u.Err }

// one checks one kata. Whatever it meets becomes that kata's verdict.
func one(ctx context.Context, b *build.Builder, lane *Lane, p plan.Plan, o Options, mu *sync.Mutex) (v grade.Kata) {
	defer func() {
		if r := recover(); r != nil {
			v = fault(p, fmt.Errorf("the checker itself crashed: %v\n%s", r, debug.Stack()))
		}
	}()
	if p.Trouble != "" {
		v := grade.Judge(p.Kata, nil)
		v.Source, v.Why = p.Label, p.Trouble
		return v
	}
	breaches, refused := breaches(p, o.Untrusted)
	var err error
	if o.Untouched != nil && o.Untouched(p) {
		v := grade.Untouched(p.Kata)
		v.Source = p.Label
		return v
	}
	key := o.Proved.Key(p, b.Tools())
	if v, ok := o.Proved.Load(key); ok && !refused {
		v.Folder, v.Source, v.Kept = p.Kata.Folder, p.Label, true
		return v
	}
	defer func() {
		if key != "" && key == o.Proved.Key(p, b.Tools()) { // nothing has changed meanwhile
			o.Proved.Save(key, v)
		}
	}()
	var runs []evidence.Run
	for i, attempt := range attempts(p, o) {
		r := unbuilt(attempt)
		if !refused {
			if r, err = lane.behind(ctx, b, attempt, o.Supervisor, o.Sandbox.wall(b.Dir)); err != nil {
				return fault(p, err) // the context's
			}
		}
		r.Policy = breaches
		if o.Sandbox != nil {
			r.Sandbox = &o.Sandbox.Found
		}
		if o.Saw != nil {
			mu.Lock()
			err := o.Saw(r, i)
			mu.Unlock()
			if err != nil {
				return fault(p, fmt.Errorf("the evidence could not be handed on: %w", err))
			}
		}
		runs = append(runs, r)
		if o.Ran != nil {
			o.Ran(p.Kata, len(runs))
		}
		if !r.Build.OK || r.Fault != "" || attempt.Climb && grade.Judge(p.Kata, runs).Verdict != grade.Pass {
			break
		}
	}
	return grade.Judge(p.Kata, runs)
}

// attempts are the plans of all runs that the options ask for. A climb begins without the
// race detector: a program that is still at a wrong answer need not pay for it, and flaws
// that hang on timing show more often without. What holds is run with it, too.
func attempts(p plan.Plan, o Options) (all []plan.Plan) {
	if o.Climb && len(p.Kata.Steps) > 0 {
		p.Climb, p.Seed = true, o.Seed
		plain := p
		plain.Race = false
		return []plan.Plan{plain, p}
	}
	for i := range max(1, o.Repeat) {
		a := Attempt(p, o, i)
		if o.Both && i == 0 {
			plain := a
			plain.Race = false
			all = append(all, plain)
		}
		all = append(all, a)
	}
	return all
}

// fault is the verdict on a kata that could not be judged for a reason of the
// checker's own.
func fault(p plan.Plan, err error) grade.Kata {
	r := unbuilt(p)
	r.Fault = err.Error()
	return grade.Judge(p.Kata, []evidence.Run{r})
}

// Attempt is the plan of run i of all those that the options ask for.
func Attempt(p plan.Plan, o Options, i int) plan.Plan {
	p.Seed, p.Untrusted = o.Seed+uint64(i), o.Untrusted
	// The first run is as the program comes, those after it are disturbed. Of five,
	// three are race-built: the race detector names what two goroutines did even where
	// it did no harm. It also slows down the start of processes so much that some miss
	// each other, and keeps others from going wrong: that the plain runs show
	// (BenchmarkMix). The seed's parity decides whether siblings meet, so the two plain
	// ones are neighbours, one of each.
	p.Perturb = i > 0
	p.Race = i%5 != 2 && i%5 != 3
	return p
}

// Run builds the plan and runs it once. Trouble that is not the source's becomes the
// evidence's fault; the error is the context's.
func Run(ctx context.Context, b *build.Builder, p plan.Plan, supervisor []string) (evidence.Run, error) {
	return buildAndRun(ctx, b, p, supervisor, nil, func(Stage) {})
}

// buildAndRun is Run, behind a wall if there is one.
func buildAndRun(ctx context.Context, b *build.Builder, p plan.Plan, supervisor []string, wall run.Wall, begun func(Stage)) (evidence.Run, error) {
	begun(Stage{Race: p.Race})
	bin, err := b.Binary(ctx, p)
	if ctx.Err() != nil {
		return evidence.Run{}, ctx.Err()
	}
	if err != nil || !bin.Build.OK {
		r := unbuilt(p)
		if r.Build = bin.Build; err != nil {
			r.Fault = err.Error()
		}
		return r, nil
	}
	begun(Stage{Running: true, Race: p.Race})
	r, err := run.Remote(ctx, supervisor, run.Job{
		Binary: bin.Path, Mark: bin.Mark, Kata: p.Kata, Source: p.Label, Names: p.Names(),
		Tests: p.Tests, Seed: p.Seed, Race: p.Race, Perturb: p.Perturb, Climb: p.Climb, FailFast: p.FailFast, Mutant: p.Mutant, Untrusted: p.Untrusted,
	}, wall)
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	if err != nil {
		r = unbuilt(p)
		r.Fault = err.Error()
	}
	r.Build, r.Sites = bin.Build, bin.Sites
	return r, nil
}

// unbuilt is the evidence of a source of which no binary was made.
func unbuilt(p plan.Plan) evidence.Run {
	return evidence.Run{
		Version: evidence.Version, Kata: p.Kata.Folder, Source: p.Label, Seed: p.Seed, RaceBuild: p.Race,
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
}
