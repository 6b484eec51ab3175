package deadlock

import (
	"testing"

	"prokata/checker/harness"
)

// TestMain runs the tests under supervision, and the child processes of the kata.
func TestMain(m *testing.M) { harness.Main(m) }
