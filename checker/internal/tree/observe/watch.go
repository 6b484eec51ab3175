package observe

import (
	"time"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/wakes"
)

// How a Watch looks that says nothing else. A tree that moves is looked at every
// 25 ms, which costs next to nothing; one that is still is looked at again after
// 10 ms, and judged once it was the same three times.
const (
	Pace  = 25 * time.Millisecond
	Step  = 10 * time.Millisecond
	Pairs = 3
)

// Inside says what is the tree's own beside its processes. An address outside of it
// (a path, a port, a name, a key) is one by which another program may come. The
// zero value is a tree that has nothing of its own, and of which nobody tells.
type Inside struct {
	// Folder is the private folder of the run, an absolute path without symbolic
	// links: what lies in it no other program opens.
	Folder string
	// Own says that the namespaces of this process are the tree's alone, as in a
	// sandbox: what has an address in them no other program reaches.
	Own bool
	// Wakes holds what the tree has set for later; nil where the kernel does not tell.
	Wakes *wakes.Ledger
}

// A Watch waits for the moment at which a tree can never go on.
type Watch struct {
	Root  int           // the process whose descendants are watched
	Every time.Duration // between two looks at a tree that moves; Pace if not set
	Step  time.Duration // between two looks at one that is still; Step if not set
	Pairs int           // equal looks before a decision; Pairs if not set

	Inside Inside // what is the tree's own

	// Question says what to judge, and whether to judge at all just now. It is
	// called before each look.
	Question func() (q evidence.Question, wanted bool)
	// Decide gets two snapshots of a tree that is still.
	Decide func(a, b evidence.Snapshot, q evidence.Question) (*evidence.Deadlock, string)
	// Found is called once for each time that the tree comes to rest for ever.
	Found func(*evidence.Deadlock, evidence.Snapshot)
	// Alive, if set, hears why a tree at rest was not found dead.
	Alive func(reason string)
	// Saw, if set, hears after each look what was seen in it.
	Saw func(Sight)
}
