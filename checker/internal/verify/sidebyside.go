package verify

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sync/errgroup"

	"prokata/checker/internal/build"
)

// sideBySide does what work lists, with a builder in a folder that is gone afterwards.
func sideBySide(ctx context.Context, work func(*build.Builder) []func(context.Context) error) error {
	dir, err := os.MkdirTemp("", "prokata-build-")
	if err != nil {
		return fmt.Errorf("make a place for test binaries: %w", err)
	}
	defer os.RemoveAll(dir)
	g, ctx := errgroup.WithContext(ctx)
	// One more than there are processors: a run waits, for its processes or for their
	// silence, about as long as it computes.
	g.SetLimit(runtime.NumCPU() + 1)
	for _, f := range work(build.New(dir)) {
		g.Go(func() error { return f(ctx) })
	}
	return g.Wait()
}
