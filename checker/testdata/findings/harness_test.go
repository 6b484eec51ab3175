package findings

import (
	"testing"

	"prokata/checker/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
