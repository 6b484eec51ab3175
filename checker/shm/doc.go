// Package shm gives a program words of memory that it shares with other
// processes. A [Memory] is a mapping of an open file: whoever maps the same file
// sees the same words.
//
// Load and Store are plain accesses, as those of a Go variable are: two
// processes that use a word at the same time, one of them writing, need a lock
// between them, or the atomic operations. In a check, races on plain accesses
// are found and reported with both processes' lines; outside of a check that
// costs one predictable branch an access.
//
// Wait and Wake let a process sleep until another one has changed a word: what
// locks and events are built from.
package shm
