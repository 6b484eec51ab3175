package harness

import (
	"bytes"
	"runtime/pprof"
	"slices"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/trace"
)

// unreachable returns the goroutines that nothing can ever wake, since nothing that
// runs can reach what they wait for: also those that were there before the test and
// that it alone forgot, which goleak passes over. The profile is in a program that
// was built with GOEXPERIMENT=goroutineleakprofile, or by a Go that has it built in;
// for any other there is nothing to return.
func unreachable() []evidence.Goroutine {
	profile := pprof.Lookup("goroutineleak")
	if profile == nil {
		return nil
	}
	var text bytes.Buffer
	for range 2 { // the first one misses some of those that wait for each other
		text.Reset()
		if err := profile.WriteTo(&text, 2); err != nil {
			return nil
		}
	}
	all, _ := trace.Goroutines(text.String()) // what could be read is proof enough
	return slices.DeleteFunc(all, func(g evidence.Goroutine) bool { return !g.Unreachable })
}
