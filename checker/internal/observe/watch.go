package observe

import (
	"time"

	"prokata/checker/internal/evidence"
)

// Pace and Pairs are the looks of a Watch that say nothing else: a tree is
// looked at every 25 ms, and judged when it did not move for three looks after
// the first that found it still.
const (
	Pace  = 25 * time.Millisecond
	Pairs = 3
)

// A Watch waits for the moment at which a tree can never go on.
type Watch struct {
	Root  int           // the process whose descendants are watched
	Every time.Duration // between two looks; Pace if not set
	Pairs int           // equal looks before a decision; Pairs if not set

	// Question says what to judge, and whether to judge at all just now. It is
	// called before each look.
	Question func() (q evidence.Question, wanted bool)
	// Decide gets two snapshots of a tree that is still.
	Decide func(a, b evidence.Snapshot, q evidence.Question) (*evidence.Deadlock, string)
	// Found is called once for each time that the tree comes to rest for ever.
	Found func(*evidence.Deadlock, evidence.Snapshot)
	// Alive, if set, hears why a tree at rest was not found dead.
	Alive func(reason string)
}
