package build

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/plan"
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

// What is told of an import that is not there does not name a module that has nothing to
// do with it.
func TestMissing(t *testing.T) {
	k := kata.Kata{Folder: "01-spawn", Dir: "/r/katas/01-spawn", Files: []string{"spawn.go"}}
	p := plan.Plan{Kata: k, Files: []string{"spawn.go"}, Label: "mine"}
	for _, said := range []string{
		"charm.land/bubbletea/v2@v2.1.1: module lookup disabled by GOPROXY=off",
		"cannot find module providing package a.b/c: import lookup disabled by -mod=readonly",
	} {
		assert.Equal(t, "mine/spawn.go:3:8: no package of that name is in the modules of this repository\nmine/spawn.go:9:2: undefined: x",
			words("katas/01-spawn/spawn.go:3:8: "+said+"\nkatas/01-spawn/spawn.go:9:2: undefined: x\n", p))
	}
}
