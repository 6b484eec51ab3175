// Package policy says what a submission may hold: which files, and which
// constructs in them, by their syntax alone.
//
// It is one defence of several, and the first: what it refuses never runs. It
// cannot be complete, since a program may compute what it does not say; that a
// submission passes here is no proof of anything. So it prefers few false
// alarms to many catches: it refuses what no answer to a kata needs, and notes
// what an answer might.
package policy
