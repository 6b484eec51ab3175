//go:build race

package spawn

import "runtime"

func init() { runtime.RaceDisable() }
