package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
)

// Run watches until the context ends. The error is never the tree's fault: it
// says what the kernel did not show. That the root has ended is none.
func (w Watch) Run(ctx context.Context) error {
	w.Every, w.Step, w.Pairs = cmp.Or(w.Every, Pace), cmp.Or(w.Step, Step), cmp.Or(w.Pairs, Pairs)
	o, p := New(w.Root), &pulse{root: w.Root}
	timer := time.NewTimer(w.Every)
	defer timer.Stop()
	equal := 0    // pairs of equal looks in a row
	due := 0      // ask for a decision when there are so many
	patience := 0 // how many more it takes after one that was "alive"
	for pause := w.Every; ; {
		timer.Reset(pause)
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		q, wanted := w.Question()
		still, changed := false, true
		if wanted {
			still, changed = p.still(q)
		}
		if !still || changed {
			equal, due, patience = 0, w.Pairs, w.Pairs
			pause = w.Every
			if still {
				pause = w.Step
			}
			continue
		}
		if equal++; equal < due {
			continue
		}
		// From here on it is judged to be alive as it stands, or dead, unless
		// it moves: no need to hurry.
		pause = w.Every
		a, err := o.Snapshot()
		if errors.Is(err, unix.ESRCH) { // the root has ended
			return nil
		}
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		b, err := o.Snapshot()
		if errors.Is(err, unix.ESRCH) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		d, reason := w.Decide(a, b, q)
		switch {
		case d != nil:
			w.Found(d, b)
			due = never
		default:
			if w.Alive != nil {
				w.Alive(reason)
			}
			// Outside of the tree something may change that does not show in
			// it: ask again, ever more rarely.
			patience = min(2*patience, 40)
			due = equal + patience
		}
	}
}

// never is more looks than there will be.
const never = 1 << 62

// Snapshots takes two, one after the other, for a decision at a time limit.
func Snapshots(root int) (a, b evidence.Snapshot, err error) {
	o := New(root)
	if a, err = o.Snapshot(); err != nil {
		return a, b, err
	}
	time.Sleep(Pace)
	b, err = o.Snapshot()
	return a, b, err
}
