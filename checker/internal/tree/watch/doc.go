// Package watch finds data races between processes on words of memory that
// they share. Go's race detector cannot: it knows one process, and passes over
// memory that is not Go's own.
//
// It uses soft watchpoints, as KCSAN, the Kernel Concurrency Sanitizer of
// Linux, does (https://docs.kernel.org/dev-tools/kcsan.html), after DataCollider
// (Erickson, Musuvathi, Burckhardt, Olynyk: "Effective Data-Race Detection for
// the Kernel", OSDI 2010). A plain access, the first ones of each place
// in the program and some of those after, is published in a table
// that all processes map, held there for a while, and withdrawn. Each
// access, plain or atomic, looks into the table. If it meets a watch on its own
// word, and one of the two writes, then the two accesses took place at the same
// time, and no lock kept them apart: a race.
//
// So a report is a proof, whatever the lock is made of: under a lock that
// works, the watch is withdrawn before the lock is released, and cannot be met.
// Silence is no proof: it is a sample. Two goroutines of one process are told
// apart like two processes, by the same proof.
//
// # Files
//
// The folder named by the environment variable [Env] holds a table for each
// mapped file, and the record races.jsonl, which grows by one line a race (see
// [Read]). Each pair of lines of code is reported once a mapped file.
//
// table.go maps a table, access.go stands in the way of each access and so is
// kept short, rare.go chooses which ones to watch, watch.go holds a watch,
// patience.go holds one until the others have had their chance, state.go is the
// protocol between the two sides, reclaim.go clears up after the dead, budget.go
// bounds the cost.
package watch
