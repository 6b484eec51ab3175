// Package mutate makes small mistakes in a source, one at a time, so that the
// tests of a kata can be tried on them: a mutant that no test notices shows what
// the tests do not test. It is pure: text in, texts out; whoever runs the mutants
// decides how. Combine puts all mutants of a source into one, to be compiled at once.
//
// Besides the customary operators (an inverted condition, a bound that is off by
// one) there are those of programs with several processes: a wait, a close, an
// unlock or an unlink is dropped, a critical section loses its first or last
// statement, work goes on one after the other instead of side by side, a signal or
// a flag is another.
//
// The existing tools (gremlins, go-mutesting, ooze) have no such operators, and
// run "go test" on a copy of the module, where a kata needs an overlay and the
// checker's own verdict.
package mutate
