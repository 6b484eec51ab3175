// Package perturb holds the hooks that a check puts into the source under test
// while it is built. Nobody writes a call to it by hand.
//
// Point delays, at random, and lets siblings meet, so that rare interleavings turn
// up in a few runs.
// Opening and Opened note at which line a descriptor, a mapping or a child came
// to be, so that a leak can be reported with its origin.
//
// The hooks must not change what they watch. They do nothing unless the
// environment asks for them, and they are invisible to the race detector: a
// lock or an atomic variable in a hook would order the goroutines that pass it
// and hide their races. Their state is therefore in memory of its own, outside
// the Go heap, which the detector does not look at, and system calls are made
// directly and not through package os, whose pools synchronise as well.
package perturb

// RecordEnv names the environment variable that holds the path of the file to
// which Opened appends a line for each new thing:
//
//	4312	fd	7	pipe:[81734]	/src/katas/01-spawn/spawn.go:31	sure
//	4312	child	4313	worker	/src/katas/01-spawn/spawn.go:57	maybe
//	4312	map	8192	/tmp/words	/src/katas/03-shared-memory/words.go:12	sure
//
// These are the process, the kind, the descriptor, child or size, its name,
// the place, and "maybe" if another site was being passed at the same time.
const RecordEnv = "PROKATA_SITES"
