//go:build amd64 || arm64

package watch

// depth is how many return addresses tell one way to an access from another: about
// three are this package's and package shm's own.
const depth = 8

// callers returns the return addresses of the innermost calls. It stands before every
// plain access, so it follows the frame pointers, which is a hundred times as fast as
// runtime.Callers. It is written in assembly because no goroutine is interrupted there:
// its stack may not move meanwhile.
//
//go:noescape
func callers(pcs *[depth]uintptr) int
