//go:build race

package perturb

import "runtime"

// off makes the goroutine's system calls and atomics order nothing for the
// race detector (syscall.Read and Write do otherwise), until on.
func off() { runtime.RaceDisable() }
func on()  { runtime.RaceEnable() }
