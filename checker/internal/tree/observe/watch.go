package observe

import (
	"time"

	"prokata/checker/internal/evidence"
)

// How a Watch looks that says nothing else. A tree that moves is looked at every
// 25 ms, which costs next to nothing; one that is still is looked at again after
// 10 ms, and judged once it was the same three times.
const (
	Pace  = 25 * time.Millisecond
	Step  = 10 * time.Millisecond
	Pairs = 3
)

// A Watch waits for the moment at which a tree can never go on.
type Watch struct {
	Root  int           // the process whose descendants are watched
	Every time.Duration // between two looks at a tree that moves; Pace if not set
	Step  time.Duration // between two looks at one that is still; Step if not set
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
