package check

import (
	"context"
	"slices"
	"sync"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/build"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/plan"
	"prokata/checker/internal/tree/run"
)

// A Lane lets runs go side by side, and one alone where that matters.
type Lane struct {
	side  bool         // others may run beside one
	mu    sync.RWMutex // held for reading by those that go side by side
	begun func(kata.Kata, Stage)
}

// Run is Run, and what hit a bound of time beside other runs is tried again alone: they
// may have taken from it what it needed.
func (l *Lane) Run(ctx context.Context, b *build.Builder, p plan.Plan, supervisor []string) (evidence.Run, error) {
	return l.behind(ctx, b, p, supervisor, nil)
}

// behind is Run behind a wall, if there is one.
func (l *Lane) behind(ctx context.Context, b *build.Builder, p plan.Plan, supervisor []string, wall run.Wall) (evidence.Run, error) {
	begun := func(s Stage) {
		if l.begun != nil {
			l.begun(p.Kata, s)
		}
	}
	l.mu.RLock()
	r, err := buildAndRun(ctx, b, p, supervisor, wall, begun)
	l.mu.RUnlock()
	again := held(r)
	if err != nil || !l.side || len(again) == 0 {
		return r, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p.Tests = again
	alone, err := buildAndRun(ctx, b, p, supervisor, wall, begun)
	if err != nil || alone.Fault != "" {
		return r, err
	}
	replace(&r, alone)
	return r, nil
}

// held names the tests that hit a bound of time, or could not be judged, where the
// machine denied them a noticeable part of what they wanted.
func held(r evidence.Run) (names []string) {
	for _, t := range r.Tests {
		l := t.Limit
		if t.Unjudged != "" || l != nil && l.Kind == "time" && l.Denied > 0.02*(l.CPU+l.Rest) {
			names = append(names, t.Name)
		}
	}
	return names
}

// replace puts the tests of another run of the same source in the place of those of r.
func replace(r *evidence.Run, by evidence.Run) {
	for _, t := range by.Tests {
		if i := slices.IndexFunc(r.Tests, func(old evidence.Test) bool { return old.Name == t.Name }); i >= 0 {
			r.Tests[i] = t
		}
	}
	r.Tampering = append(r.Tampering, by.Tampering...)
	r.Seconds += by.Seconds
	r.Cost.Supervisor += by.Cost.Supervisor
	r.Cost.Watched += by.Cost.Watched
}
