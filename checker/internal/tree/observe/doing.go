package observe

import "prokata/checker/internal/evidence"

// A Sight is what one look of a Watch has shown beside its verdict.
type Sight struct {
	Doings []evidence.Doing // of each process that was looked at, without times
	Holds  []evidence.Hold  // of the tree; only of a whole look
	Whole  bool             // every process was looked at
}
