package check

import (
	"context"
	"errors"
	"sync"

	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/build"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/plan"
)

// NewLane returns a lane for runs that begin at any time; side says that some may go
// beside others.
func NewLane(side bool) *Lane { return &Lane{side: side} }

// Source checks one kata against the sources in o.From, and leaves none of its binaries
// behind. Many may be checked in one lane at a time, for as long as the caller likes; the
// error is trouble of the checker's own or the context's.
func (l *Lane) Source(ctx context.Context, k kata.Kata, o Options) (v grade.Kata, err error) {
	p, err := plan.New(o.Root, k, o.From)
	if err != nil && !errors.Is(err, plan.ErrNoSource) {
		return v, Usage{err}
	}
	err = SideBySide(ctx, 1, func(_ context.Context, b *build.Builder, _ *Lane) ([]func(context.Context) error, error) {
		b.Wall = o.Sandbox.compiler(b.Dir)
		return []func(context.Context) error{func(ctx context.Context) error {
			v = one(ctx, b, l, p, o, &sync.Mutex{})
			return ctx.Err()
		}}, nil
	})
	return v, err
}
