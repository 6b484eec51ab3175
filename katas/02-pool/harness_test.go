package pool

import (
	"testing"

	"prokata/checker/harness"
)

// TestMain hands over to the harness: it runs the child's part in a process that
// was started as a child, and the tests, supervised, in any other.
func TestMain(m *testing.M) { harness.Main(m) }
