// Package verify proves the content of the repository: that stubs are not started
// in every test, that solutions pass, that each known mistake is caught with
// exactly its findings, and that each test catches one.
package verify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"prokata/checker/internal/check"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/prove/flaw"
	"prokata/checker/internal/source/build"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/patch"
	"prokata/checker/internal/source/plan"
)

// Options say how to verify.
type Options struct {
	Root       string
	Supervisor []string
	Seed       uint64
	Repeat     int // runs of each solution
	Attempts   int // runs that a flaw gets to show itself, at least 1
	// Quick builds a flaw with the race detector only where a race is wanted of it,
	// without go vet, runs the tests alone that it names, and does not look for idle
	// tests. Most mistakes show so as well, in a fraction of the time.
	Quick bool
	// Plain runs a flaw without the race detector first, and with it only where that does
	// not show all that is wanted of it. Both builds are one attempt.
	Plain    bool
	Only     string                          // verify only the flaws whose name contains this, if set
	Progress func(done, of int, what string) // if set
}

// A Tally is the result.
type Tally struct {
	Katas       int
	Flaws       int
	Caught      int
	Problems    []Problem
	Missed      []string // flaws that were not caught
	NotJudged   []string // flaws of which the machine let nobody say anything
	FalseAlarms []string // solutions with a finding, and flaws with one more than wanted
	Idle        []string // tests that catch no flaw
	Flaky       []string // flaws that needed more than one run
	Climbs      []Climb  // of the katas that have steps
	Contracts   []Contract
}

// A Problem is one thing that is not as it must be.
type Problem struct {
	Where string // a kata's folder, or a flaw's name
	What  string
	Next  string // the command to run next
}

// OK reports whether there is nothing to complain of.
func (t Tally) OK() bool { return len(t.Problems) == 0 }

type verifier struct {
	o  Options
	b  *build.Builder
	l  *check.Lane
	mu sync.Mutex
	t  Tally
	// killed counts, by kata and test, the flaws that the test failed for.
	killed map[string]map[string]int
	dir    string // where the patched sources are
	done   int
	of     int
}

// Katas verifies the katas. The error is the checker's own trouble.
func Katas(ctx context.Context, katas []kata.Kata, o Options) (Tally, error) {
	dir, err := os.MkdirTemp("", "prokata-flawed-")
	if err != nil {
		return Tally{}, fmt.Errorf("make a place for patched sources: %w", err)
	}
	defer os.RemoveAll(dir)
	v := &verifier{o: o, dir: dir, killed: map[string]map[string]int{}}
	v.t.Katas = len(katas)
	// What runs into a time limit comes first: begun last, it would run on alone.
	var slow, work []func(context.Context) error
	add := func(f func(context.Context) error) { work = append(work, f) }
	for _, k := range katas {
		v.killed[k.Folder] = map[string]int{}
		for _, c := range content(o.Root, k) {
			v.problem(k.Folder, c, "make verify KATA="+k.Name)
		}
		if o.Only == "" {
			add(func(ctx context.Context) error { return v.stub(ctx, k) })
			for _, from := range []string{"solutions", filepath.Join("solutions", "fast")} {
				if _, err := os.Stat(filepath.Join(o.Root, from, k.Folder)); err == nil || from == "solutions" {
					add(func(ctx context.Context) error { return v.solution(ctx, k, from) })
				}
			}
		}
		climb := v.climb(k)
		if o.Only == "" {
			work = append(work, climb...)
		}
		flaws, broken, err := flaw.All(o.Root, k.Folder)
		if err != nil {
			return v.t, err
		}
		v.contract(k, flaws)
		for _, b := range broken {
			next := "mend the head of testdata/flawed/" + b.Name + " (see CONTRIBUTING.md)"
			if b.Misfit {
				next = fmt.Sprintf("bin/checker flaw rebase %s, or else bin/checker flaw edit %s %s", k.Name, k.Name, filepath.Base(b.Name))
			}
			v.problem(b.Name, b.What, next)
		}
		for _, f := range flaws {
			for _, w := range f.Wants {
				for _, t := range w.Tests {
					if _, ok := k.Test(t); !ok {
						v.problem(f.Name, fmt.Sprintf("it names %s, and the kata has no such test", t), "mend the head of testdata/flawed/"+f.Name)
					}
				}
			}
			if strings.Contains(f.Name, o.Only) {
				v.t.Flaws++
				look := func(ctx context.Context) error { return v.flaw(ctx, k, f) }
				if slices.ContainsFunc(f.Wants, func(w flaw.Want) bool { return w.Code == "timeout" }) {
					slow = append(slow, look)
				} else {
					add(look)
				}
			}
		}
	}
	work = append(slow, work...)
	v.of = len(work)
	err = check.SideBySide(ctx, atOnce(), func(_ context.Context, b *build.Builder, l *check.Lane) ([]func(context.Context) error, error) {
		v.b, v.l = b, l
		return work, nil
	})
	if err != nil {
		return v.t, err
	}
	if o.Only == "" && !o.Quick {
		v.idle(katas)
	}
	for _, s := range [][]string{v.t.Missed, v.t.FalseAlarms, v.t.Flaky} {
		slices.Sort(s)
	}
	slices.SortStableFunc(v.t.Problems, func(a, b Problem) int { return strings.Compare(a.Where, b.Where) })
	return v.t, nil
}

// atOnce is how many sources are looked at side by side, one more than there are
// processors: a run waits, for its processes or for their silence, about as long as it
// computes.
func atOnce() int { return runtime.NumCPU() + 1 }

func (v *verifier) step(what string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.done++
	if v.o.Progress != nil {
		v.o.Progress(v.done, v.of, what)
	}
}

func (v *verifier) problem(where, what, next string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.t.Problems = append(v.t.Problems, Problem{where, what, next})
}

// run builds and runs one source.
func (v *verifier) run(ctx context.Context, p plan.Plan) (evidence.Run, error) {
	return v.l.Run(ctx, v.b, p, v.o.Supervisor)
}

// stub: exactly "not started", in every test.
func (v *verifier) stub(ctx context.Context, k kata.Kata) error {
	defer v.step(k.Folder + ": stub")
	p, err := plan.New(v.o.Root, k, "")
	if err != nil {
		return err
	}
	p.Seed = v.o.Seed
	r, err := v.run(ctx, p)
	if err != nil {
		return err
	}
	verdict := grade.Judge(k, []evidence.Run{r})
	next := "make check KATA=" + k.Name + " VERBOSE=1"
	if verdict.Verdict != grade.NotStarted {
		v.problem(k.Folder, fmt.Sprintf("the stub is %q, not \"not-started\"%s", verdict.Verdict, first(verdict.Findings)), next)
	}
	for _, t := range r.Tests {
		if t.Status == evidence.Aborted {
			v.problem(k.Folder, fmt.Sprintf("the stub ended the test process in %s: it must return todo.Err, so that the tests after it run", t.Name), next)
		}
	}
	for _, t := range verdict.Tests {
		if t.Verdict != grade.NotStarted && !t.Skipped() {
			v.problem(k.Folder, fmt.Sprintf("%s is %q on the stub, not \"not-started\"", t.Name, t.Verdict), next)
		}
	}
	return nil
}

func first(fs []detect.Finding) string {
	fs = detect.Causes(fs)
	if len(fs) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s in %s: %s)", fs[0].Code, fs[0].Test, fs[0].Message)
}

// solution: it passes, each time.
func (v *verifier) solution(ctx context.Context, k kata.Kata, from string) error {
	defer v.step(k.Folder + ": " + from)
	p, err := plan.New(v.o.Root, k, filepath.Join(v.o.Root, from))
	if err != nil {
		v.problem(k.Folder, err.Error(), "write "+filepath.Join(from, k.Folder))
		return nil
	}
	for i := range max(1, v.o.Repeat) {
		p.Seed, p.Perturb = v.o.Seed+uint64(i), true
		r, err := v.run(ctx, p)
		if err != nil {
			return err
		}
		verdict := grade.Judge(k, []evidence.Run{r})
		next := fmt.Sprintf("make check KATA=%s FROM=%s SEED=%d", k.Name, from, p.Seed)
		for _, f := range detect.Causes(verdict.Findings) {
			v.problem(k.Folder, fmt.Sprintf("%s has a finding: %s in %s: %s %s", from, f.Code, f.Test, f.Message, strings.Join(f.Detail, "; ")), next)
			v.falseAlarm(fmt.Sprintf("%s/%s: %s in %s", from, k.Folder, f.Code, f.Test))
		}
		for _, t := range verdict.Tests {
			if t.Verdict != grade.Pass && !t.Skipped() && len(verdict.Findings) == 0 {
				v.problem(k.Folder, fmt.Sprintf("%s: %s is %q", from, t.Name, t.Verdict), next)
			}
		}
		if verdict.Verdict != grade.Pass && len(verdict.Findings) == 0 {
			v.problem(k.Folder, fmt.Sprintf("%s is %q %s", from, verdict.Verdict, verdict.Why), next)
		}
	}
	return nil
}

func (v *verifier) falseAlarm(what string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.t.FalseAlarms = append(v.t.FalseAlarms, what)
}

// flaw: exactly its findings. A mistake that only some interleavings show gets
// several runs to show itself, and never one to show something else.
func (v *verifier) flaw(ctx context.Context, k kata.Kata, f flaw.Flaw) error {
	defer v.step(f.Name)
	next := fmt.Sprintf("make check KATA=%s FROM=testdata/flawed/%s", k.Name, f.Name)
	if ext := filepath.Ext(f.Path); ext == ".go" || ext == patch.Ext {
		next += ext
	}
	from, err := f.Source(v.dir)
	if err != nil {
		return err
	}
	p, err := plan.New(v.o.Root, k, from)
	if err != nil {
		return err
	}
	if v.o.Quick {
		p.Race = slices.ContainsFunc(f.Wants, func(w flaw.Want) bool { return w.Code == "race" })
		p.Vet = false
		p.Tests = f.Named(k)
	}
	// To try a limit again alone is for those who must not be accused; here it is expected,
	// and all others would wait for it.
	late := slices.ContainsFunc(f.Wants, func(w flaw.Want) bool { return w.Code == "timeout" })
	var union []detect.Finding
	caught, unjudged := false, false
	attempt := 0
	plain := v.o.Plain && !v.o.Quick && !slices.ContainsFunc(f.Wants, func(w flaw.Want) bool { return w.Code == "race" })
	for ; attempt < max(1, v.o.Attempts) && !caught; attempt++ {
		p.Seed = v.o.Seed + uint64(attempt)
		p.Perturb = attempt > 0
		if !v.o.Quick {
			p.Race = !plain
		}
		run := v.run
		if late {
			run = func(ctx context.Context, p plan.Plan) (evidence.Run, error) {
				return check.Run(ctx, v.b, p, v.o.Supervisor)
			}
		}
		r, err := run(ctx, p)
		if err != nil {
			return err
		}
		if r.Fault != "" {
			v.problem(f.Name, "the checker had trouble of its own: "+r.Fault, next)
			return nil
		}
		findings := detect.All(r)
		union = append(union, findings...)
		for _, x := range detect.Causes(findings) {
			if !slices.ContainsFunc(f.Wants, func(w flaw.Want) bool { return w.Allows(x) }) {
				v.problem(f.Name, fmt.Sprintf("an unexpected finding: %s in %s at %s:%d: %s %s", x.Code, x.Test, x.File, x.Line, x.Message, strings.Join(x.Detail, "; ")), next)
				v.falseAlarm(fmt.Sprintf("%s: %s in %s", f.Name, x.Code, x.Test))
				return nil
			}
		}
		v.count(k, grade.Judge(k, []evidence.Run{r}))
		unjudged = unjudged || slices.ContainsFunc(r.Tests, func(t evidence.Test) bool { return t.Unjudged != "" })
		caught = !slices.ContainsFunc(f.Wants, func(w flaw.Want) bool { return !w.Optional && !w.Meets(union) })
		if plain && !caught {
			plain = false
			attempt-- // the same again, with the race detector
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case !caught && unjudged:
		v.t.NotJudged = append(v.t.NotJudged, f.Name)
		v.t.Problems = append(v.t.Problems, Problem{f.Name, "it was not judged: the machine is too slow", next})
	case !caught:
		v.t.Missed = append(v.t.Missed, f.Name)
		for _, w := range f.Wants {
			if !w.Optional && !w.Meets(union) {
				var got []string
				for _, x := range union {
					got = append(got, fmt.Sprintf("%s in %s at %s:%d", x.Code, x.Test, filepath.Base(x.File), x.Line))
				}
				v.t.Problems = append(v.t.Problems, Problem{f.Name, fmt.Sprintf("not found in %d runs: %v (found: %s)", attempt, w, strings.Join(got, ", ")), next})
			}
		}
	case attempt > 1:
		v.t.Flaky = append(v.t.Flaky, fmt.Sprintf("%s (run %d)", f.Name, attempt))
		fallthrough
	default:
		v.t.Caught++
	}
	return nil
}

// count adds the tests that a flaw made fail.
func (v *verifier) count(k kata.Kata, verdict grade.Kata) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, t := range verdict.Tests {
		if t.Verdict == grade.Fail {
			v.killed[k.Folder][t.Name]++
		}
	}
}

// idle names the tests that no flaw made fail: either a flaw is missing, or the
// test proves nothing.
func (v *verifier) idle(katas []kata.Kata) {
	for _, k := range katas {
		for _, t := range k.Tests {
			if v.killed[k.Folder][t.Name] == 0 {
				v.t.Idle = append(v.t.Idle, k.Folder+": "+t.Name)
				v.problem(k.Folder, t.Name+" is idle: no flaw makes it fail", "write a flaw that only this test catches, in testdata/flawed/"+k.Folder)
			}
		}
	}
}
