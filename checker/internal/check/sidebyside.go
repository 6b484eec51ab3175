package check

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sync/errgroup"

	"prokata/checker/internal/source/build"
	"prokata/checker/internal/tree/place"
)

// SideBySide does what work lists, so many at a time, with a builder in a folder that
// is gone afterwards, and a lane for the runs.
func SideBySide(ctx context.Context, atOnce int, work func(context.Context, *build.Builder, *Lane) ([]func(context.Context) error, error)) error {
	base, err := place.Temp()
	if err != nil {
		return err
	}
	dir, remove, err := workplace(base)
	if err != nil {
		return fmt.Errorf("make a place for test binaries: %w", err)
	}
	defer remove()
	all, err := work(ctx, build.New(dir), &Lane{side: atOnce > 1})
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, atOnce))
	for _, f := range all {
		g.Go(func() error { return f(ctx) })
	}
	return g.Wait()
}

// workplace makes a folder in base for as long as this process lives, and removes those of
// others that were killed.
func workplace(base string) (dir string, remove func(), err error) {
	const prefix = "prokata-work-"
	place.Sweep(base, prefix+"*", os.RemoveAll)
	dir, let, err := place.Hold(base, prefix)
	if err != nil {
		return "", nil, err
	}
	return dir, func() {
		_ = os.RemoveAll(dir)
		let()
	}, nil
}
