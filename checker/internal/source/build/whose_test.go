package build

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/plan"
)

// Only where a line begins counts, never what it says.
func TestSplit(t *testing.T) {
	p := plan.Plan{Kata: kata.Kata{Dir: "/r/katas/01-a", Folder: "01-a", Name: "a", Files: []string{"a.go"}}, Root: "/r", Source: "/s", Label: "s", Files: []string{"mine.go"}}
	for _, row := range []struct {
		text       string
		own, other int
	}{
		{"# prokata/katas/01-a\nkatas/01-a/a.go:3:2: undefined: x\n", 1, 0},
		{"./katas/01-a/a.go:3:2: undefined: x\n\tcontinued\ntoo many errors\n", 1, 0},
		{"vet: katas/01-a/a.go:3:2: undefined: x\n", 1, 0},
		{"/r/katas/01-a/a.go:3: cannot use \"no space left on device\" (untyped string constant) as int value\n", 1, 0},
		{"katas/01-a/a.go:4:2: no required module provides package example.com/module/lookup/disabled; to add it:\n\tgo get example.com/x\n", 1, 0},
		{"/tmp/x/link: writing: no space left on device\n", 0, 1},
		{"katas/01-a/a_core_test.go:9:2: too many arguments in call to Run\n", 0, 1},
		{"checker/harness/test.go:9:2: undefined: katas/01-a/a.go:3:2\n", 0, 1},
		{"FAIL\tprokata/katas/01-a [build failed]\n", 0, 0},
	} {
		own, other := split(row.text, p)
		assert.Equal(t, []int{row.own, row.other}, []int{own, other}, row.text)
	}
	assert.Equal(t, "s/mine.go:3:2: undefined: x", words("# prokata/katas/01-a\nkatas/01-a/a.go:3:2: undefined: x\n", p))
}
