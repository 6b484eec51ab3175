package mutate

import (
	"fmt"
	"strings"
)

// around a change, so many lines are shown.
const contextLines = 2

// Diff shows what a mutant changes, in the unified form:
//
//	--- spawn.go
//	+++ spawn.go (drop-wait 1f2e3d4c: wg.Wait() dropped)
//	@@ -113,5 +113,5 @@ Group.Run
func Diff(m Mutant) string {
	before, after := strings.Split(string(m.original), "\n"), strings.Split(string(m.Source), "\n")
	head := 0
	for head < len(before) && head < len(after) && before[head] == after[head] {
		head++
	}
	tail := 0
	for tail < len(before)-head && tail < len(after)-head && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	from, to := max(0, head-contextLines), min(len(before), len(before)-tail+contextLines)
	grown := len(after) - len(before)
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %[1]s (%s %s: %s)\n", m.File, m.Operator, m.ID, m.Description)
	fmt.Fprintf(&b, "@@ -%d,%d +%d,%d @@ %s\n", from+1, to-from, from+1, to-from+grown, m.Func)
	lines := func(mark string, ls []string) {
		for _, l := range ls {
			b.WriteString(mark + l + "\n")
		}
	}
	lines(" ", before[from:head])
	lines("-", before[head:len(before)-tail])
	lines("+", after[head:len(after)-tail])
	lines(" ", before[len(before)-tail:to])
	return b.String()
}
