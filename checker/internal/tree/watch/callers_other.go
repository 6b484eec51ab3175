//go:build !amd64 && !arm64

package watch

import "runtime"

const depth = 8

func callers(pcs *[depth]uintptr) int { return runtime.Callers(2, pcs[:]) }
