//go:build !linux

package run

// newGuard: nothing is watched where the system does not tell.
func newGuard(...string) (*guard, error) { return &guard{wrote: map[string]bool{}}, nil }
