// Package perturb holds the hooks that a check puts into the source under test
// while it is built. Nobody writes a call to it by hand.
//
// Point delays, at random, so that rare interleavings turn up in a few runs.
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
