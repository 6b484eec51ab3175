package crawl

import (
	"testing"

	"prokata/checker/harness"
)

// TestMain runs the tests under the harness: see the package of that name.
func TestMain(m *testing.M) { harness.Main(m) }
