package check

import (
	"context"
	"errors"
	"os"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/box"
	"prokata/checker/internal/tree/place"
	"prokata/checker/internal/tree/run"
)

// NewSandbox has every layer of a sandbox tried, and returns what untrusted code is to be
// built and run in. self is the command by which this program serves as process 1 of one:
// it calls Boxed. Where the machine has too little, the error says what is missing; with
// trust it is no error, and the code runs in none.
func NewSandbox(self []string, trust bool) (*Sandbox, error) {
	found, err := ProbeSandbox(self)
	if err != nil {
		return nil, err
	}
	if err := box.Enough(found); err != nil && !trust {
		return nil, Usage{err}
	}
	return &Sandbox{Self: self, Found: found}, nil
}

// ProbeSandbox has every layer tried.
func ProbeSandbox(self []string) (s evidence.Sandbox, err error) {
	base, err := place.Temp()
	if err != nil {
		return s, err
	}
	dir, remove, err := workplace(base)
	if err != nil {
		return s, err
	}
	defer remove()
	return box.Probe(self, dir), nil
}

// Boxed is what a program does that was started as process 1 of a sandbox by self, with
// args behind that.
func Boxed(ctx context.Context, self, args []string, judge run.Judge) error {
	if len(args) == 0 {
		return errors.New("it is for the checker to start")
	}
	kind, args := box.Kind(args[0]), args[1:]
	if kind == box.Trial && len(args) > 0 {
		return box.Look()
	}
	inner, err := box.Inside()
	if err != nil {
		return err
	}
	switch kind {
	case box.Trial:
		return inner.RunProbe(self)
	case box.Exec:
		return inner.Become(args, os.Environ())
	default:
		g := inner.Groups()
		return run.Serve(ctx, os.Stdin, os.Stdout, judge, &run.Box{Enter: inner.Enter, Who: inner.Who(), Memory: g.Memory, Tasks: g.Tasks})
	}
}
