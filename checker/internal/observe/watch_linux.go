package observe

import (
	"context"
	"fmt"
	"time"

	"prokata/checker/internal/evidence"
)

// Run watches until the context ends. The error is never the tree's fault: it
// says what the kernel did not show.
func (w Watch) Run(ctx context.Context) error {
	o, p := New(w.Root), &pulse{root: w.Root}
	every, pairs := w.Every, w.Pairs
	if every == 0 {
		every = Pace
	}
	if pairs == 0 {
		pairs = Pairs
	}
	timer := time.NewTimer(every)
	defer timer.Stop()
	equal := 0              // pairs of equal looks in a row
	ask := 0                // ask for a decision once there are so many
	patience := pairs       // how many more it takes after a decision that was "alive"
	for pause := every; ; { // until the next look
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
		pause = every
		if !still || changed {
			equal, ask, patience = 0, pairs, pairs
			continue
		}
		if equal++; equal < ask {
			if ask > pairs {
				pause = 2 * every // it was found to be alive, as it stands
			}
			continue
		}
		a, err := o.Snapshot()
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		b, err := o.Snapshot()
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		if d, reason := w.Decide(a, b, q); d != nil {
			w.Found(d, b)
			ask = 1 << 30 // said once, until something moves
		} else {
			if w.Alive != nil {
				w.Alive(reason)
			}
			// Nothing in the tree has changed, but outside something may. Ask
			// again, ever more rarely.
			patience = min(2*patience, 40)
			ask = equal + patience
		}
	}
}

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
