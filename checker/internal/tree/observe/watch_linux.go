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
	o, p := New(w.Root, w.Inside), &pulse{root: w.Root}
	if w.Saw != nil {
		p.seer = newSeer()
	}
	timer := time.NewTimer(w.Every)
	defer timer.Stop()
	equal := 0           // pairs of equal looks in a row
	due := 0             // ask for a decision when there are so many
	patience := 0        // how many more it takes after one that was "alive"
	var spared time.Time // no decision before
	for pause := w.Every; ; {
		timer.Reset(pause)
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		began := time.Now()
		q, wanted := w.Question()
		still, changed := false, true
		if wanted {
			still, changed = p.still(q)
			if w.Saw != nil {
				w.Saw(p.seer.sight)
			}
		}
		if !still || changed {
			equal, due, patience = 0, w.Pairs, w.Pairs
			pause = w.Every
			if still {
				pause = w.Step
			}
			continue
		}
		if equal++; equal < due || time.Now().Before(spared) {
			continue
		}
		// From here on it is known to be alive as it stands, or dead, unless
		// it moves: no need to hurry.
		pause = max(w.Every, min(dear*time.Since(began), 4*w.Every))
		began = time.Now()
		d, snap, reason, err := w.judge(o, q)
		if errors.Is(err, unix.ESRCH) { // the root has ended
			return nil
		}
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		switch {
		case d != nil:
			w.Found(d, snap)
			due = never
		default:
			if w.Alive != nil {
				w.Alive(reason)
			}
			// Outside of the tree something may change that does not show in
			// it: ask again, ever more rarely.
			patience = min(2*patience, 40)
			due = equal + patience
			spared = time.Now().Add(min(dear*time.Since(began), 12*w.Every))
		}
	}
}

// judge asks for a decision. What goes on outside of the tree costs most to
// find out, and can only keep it alive: it is left for last.
func (w Watch) judge(o *Observer, q evidence.Question) (*evidence.Deadlock, evidence.Snapshot, string, error) {
	a, err := o.look()
	if err != nil {
		return nil, evidence.Snapshot{}, "", err
	}
	snap := a.snapshot()
	if d, reason := w.Decide(snap, snap, q); d == nil {
		return nil, snap, reason, nil
	}
	if err := a.outside(nil); err != nil {
		return nil, snap, "", err
	}
	b, err := o.look()
	if err != nil {
		return nil, evidence.Snapshot{}, "", err
	}
	if err := b.outside(a); err != nil {
		return nil, snap, "", err
	}
	snap = b.snapshot()
	d, reason := w.Decide(a.snapshot(), snap, q)
	return d, snap, reason, nil
}

const (
	// never is more looks than there will be.
	never = 1 << 62
	// dear is how many times its own length a look must have paid for before
	// the next one, where there is no hurry: it keeps the watching below a
	// twentieth of a processor.
	dear = 25
)

// Snapshots takes two, one after the other, for a decision at a time limit.
func Snapshots(root int, in Inside) (a, b evidence.Snapshot, err error) {
	o := New(root, in)
	if a, err = o.Snapshot(); err != nil {
		return a, b, err
	}
	time.Sleep(Pace)
	b, err = o.Snapshot()
	return a, b, err
}
