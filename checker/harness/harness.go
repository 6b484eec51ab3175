// Package harness runs a kata's tests under supervision.
package harness

import (
	"hash/fnv"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/moby/sys/reexec"
)

// Main is the TestMain of every kata.
func Main(m *testing.M) {
	if reexec.Init() {
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Test begins the supervision of a test. It is the first statement of every
// top-level test of a kata.
func Test(t *testing.T) {
	t.Helper()
}

// Rand returns a source of random numbers that depends on the seed of the
// check and on the name of the test alone, so that a run can be replayed.
func Rand(t testing.TB) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(t.Name()))
	return rand.New(rand.NewPCG(1, h.Sum64()))
}
