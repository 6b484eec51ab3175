// Package trace reads what the Go runtime prints about goroutines and races and
// gives it as values of package evidence. It is pure: text in, values out.
//
// Three writers are understood: the race detector (Races), the runtime when a
// process ends by a panic, a fatal error or SIGQUIT (Dump), and runtime.Stack
// (Goroutines). A process may be killed while it writes, so each parser returns
// what it could read together with an error for the rest.
package trace
