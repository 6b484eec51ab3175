package build

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Where the compiler really found a file is nobody's business.
func TestInBuild(t *testing.T) {
	for in, want := range map[string]string{
		"katas/01-spawn/spawn.go:17:2[/tmp/prokata-work-2425196513/01-spawn-40331934/spawn.go:18:2]: other declaration of fmt": "katas/01-spawn/spawn.go:17:2: other declaration of fmt",
		"spawn.go:3:4: invalid operation: a[/x/y]": "spawn.go:3:4: invalid operation: a[/x/y]",
	} {
		assert.Equal(t, want, inBuild.ReplaceAllString(in, ""))
	}
}
