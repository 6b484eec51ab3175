package check

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sync/errgroup"

	"prokata/checker/internal/source/build"
)

// SideBySide does what work lists, so many at a time, with a builder in a folder that
// is gone afterwards.
func SideBySide(ctx context.Context, atOnce int, work func(context.Context, *build.Builder) ([]func(context.Context) error, error)) error {
	dir, err := os.MkdirTemp("", "prokata-build-")
	if err != nil {
		return fmt.Errorf("make a place for test binaries: %w", err)
	}
	defer os.RemoveAll(dir)
	all, err := work(ctx, build.New(dir))
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
