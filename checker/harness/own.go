package harness

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/tree/wire"
)

// ownTest is the one test that this process runs, if that is a learner's own: one that
// kata.json does not list. It need not call Test.
var ownTest string

// withOwn adds to the kata's tests those of the binary that are the learner's own.
func withOwn(k kata.Kata, binary string) (kata.Kata, error) {
	cmd := exec.Command(binary, "-test.list=.")
	cmd.Env = append(os.Environ(), "PROKATA_HARNESS=off")
	out, err := cmd.Output()
	if err != nil {
		return k, fmt.Errorf("list the tests: %w", err)
	}
	k.Tests = slices.Clone(k.Tests)
	for _, name := range strings.Fields(string(out)) {
		if _, listed := k.Test(name); !listed && !strings.HasPrefix(name, "Benchmark") {
			k.Tests = append(k.Tests, kata.Test{Name: name, Group: kata.Own})
		}
	}
	return k, nil
}

// runOwn runs a learner's own test, with the whole of the process for its bounds.
func runOwn(m *testing.M) int {
	before := goleak.IgnoreCurrent()
	supervisor.ask(wire.Event{Kind: wire.Begin, Test: ownTest})
	code := m.Run()
	e := wire.Event{Kind: wire.End, Test: ownTest, Status: evidence.Passed, Goroutines: left(before)}
	if code != 0 {
		e.Status = evidence.Failed
	}
	supervisor.ask(e)
	return code
}
