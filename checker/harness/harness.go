// Package harness runs a kata's tests under supervision. It is linked into every
// kata's test binary, and that binary plays one of three parts:
//
//   - started as a child of the kata, it runs the entry registered for it;
//   - started by a supervisor, it runs the tests, and before and after each of
//     them it tells the supervisor and stands still while that looks at the tree;
//   - started by "go test" or an editor, it is the supervisor: it starts itself
//     again in the second part and watches.
//
// The checker is that same supervisor in a program that holds none of the
// learner's code.
package harness

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/moby/sys/reexec"

	"prokata/checker/internal/tree/wire"
)

// Main is the TestMain of every kata. It does not return.
func Main(m *testing.M) {
	if dir := os.Getenv(wire.RunEnv); dir != "" && supervisor == nil && os.Getenv(wire.PerturbEnv) != "" {
		startTogether(dir) // a child, as late as possible before its own code
	}
	if reexec.Init() {
		os.Exit(0)
	}
	switch {
	case ownTest != "":
		os.Exit(runOwn(m))
	case supervisor != nil, os.Getenv("PROKATA_HARNESS") == "off": // off: to measure what the supervision costs
		os.Exit(m.Run())
	case os.Getenv(wire.RunEnv) != "":
		// Without this, a program that starts itself under a wrong name would
		// run the tests again, and they would start it again, without end.
		fmt.Fprintf(os.Stderr, "this program was started again as %q, and nothing is registered under that name (reexec.Register)\n", os.Args[0])
		os.Exit(2)
	default:
		os.Exit(supervise(m))
	}
}

// HandedIn notes the sum of the files that the checker put in the stub's place. A file
// that it adds to the package calls it; nobody writes a call by hand.
func HandedIn(sum string) {
	if supervisor != nil && supervisor.source == "" {
		supervisor.source = sum
	}
}

// Rand returns a source of random numbers that depends on the seed of the
// check and on the name of the test alone, so that a run can be replayed.
func Rand(t testing.TB) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(t.Name()))
	seed, err := strconv.ParseUint(os.Getenv(wire.SeedEnv), 10, 64)
	if err != nil {
		seed = 1 // not in a check: any fixed number will do
	}
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}
