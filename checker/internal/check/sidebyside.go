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
	dir, err := os.MkdirTemp(base, "prokata-build-")
	if err != nil {
		return fmt.Errorf("make a place for test binaries: %w", err)
	}
	defer os.RemoveAll(dir)
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
