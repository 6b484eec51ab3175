package event

import (
	"testing"

	"prokata/checker/harness"
)

// TestMain lets the harness supervise the tests, and play the children.
func TestMain(m *testing.M) { harness.Main(m) }
