package pipe

import (
	"testing"

	"prokata/checker/harness"
)

// TestMain runs the tests of this kata under the supervision of the harness.
func TestMain(m *testing.M) { harness.Main(m) }
