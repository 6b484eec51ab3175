// Package policy says what a submission may hold: which files, and which
// constructs in them, by their syntax and scopes alone.
//
// It is one defence of several, and the first: what it refuses never runs. Of a
// learner it refuses what would blind the harness. Of who is not trusted it lets in
// what is listed (allowed.go), and no more. It cannot be complete, since a program
// may compute what it does not say; that a submission passes here is no proof of
// anything.
package policy
