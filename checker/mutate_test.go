package main

import (
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMutateNames proves that mutate sees what it is there to see: kata tiny has one
// test, and mistakes that this test notices, and others.
func TestMutateNames(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not checked on this system: what the mutants leave behind")
	}
	const solution, list = "solutions/07-tiny/tiny.go", "testdata/mutants/07-tiny.txt"
	c := newCopy(t)
	// One mutant of this loop goes round and round for ever.
	c.edit(solution, "	cmd := reexec.Command", "	n := 0\n	for n < 3 {\n		n++\n	}\n	cmd := reexec.Command")
	out, code := c.checker(t, "mutate", "tiny", "--verbose")
	assert.Equal(t, exitFailed, code, "a test that notices less than 90 %% is not enough:\n%s", out)
	fates := map[string][]string{} // the line of each mutant, by its fate
	for line := range strings.Lines(out) {
		if m := regexp.MustCompile(`^[0-9a-f]{8} tiny\.go:\d+ .*: (killed|survived|not compiled) `).FindStringSubmatch(line); m != nil {
			fates[m[1]] = append(fates[m[1]], line)
		}
	}
	notice := func(fate, what string) (id string) {
		t.Helper()
		for _, line := range fates[fate] {
			if strings.Contains(line, what) {
				return line[:8]
			}
		}
		require.Fail(t, "no such mutant", "%s: %s:\n%s", fate, what, out)
		return ""
	}
	killed := notice("killed", "invert-condition if err != nil inverted")
	notice("killed", "timeout in TestStarts") // it needs what a mutant may take
	survivor := notice("survived", "drop-signal _ = cmd.Process.Kill() dropped")
	assert.Contains(t, out, "\n-	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })\n", "the diff of a survivor")

	out, code = c.checker(t, "mutate", "tiny", "--only", killed)
	assert.Zero(t, code, out)
	assert.Contains(t, out, "1 killed, 0 survived, 0 equivalent, 0 not compiled: 100.0 %")

	var lines string
	for _, line := range fates["survived"] {
		lines += line[:8] + "  nobody cancels this child\n"
	}
	c.write(list, lines)
	out, code = c.checker(t, "mutate", "tiny", "--only", killed, "--only", survivor)
	assert.Zero(t, code, out)
	assert.Contains(t, out, "equivalent: "+survivor+" _ = cmd.Process.Kill() dropped: nobody cancels this child")

	c.write(list, lines+"01234567  long gone\n")
	out, code = c.checker(t, "mutate", "tiny")
	assert.Equal(t, exitFault, code, out)
	assert.Contains(t, out, "testdata/mutants/07-tiny.txt: no mutant has the ID 01234567 any more")
	c.remove(list)

	out, code = c.checker(t, "mutate", "tiny", "--only", "01234567")
	assert.Equal(t, exitUsage, code, out)
	assert.Contains(t, out, "no mutant of this kata has the ID 01234567")

	c.edit(solution, `reexec.Command("tiny-child")`, `reexec.Command("tiny-nobody")`)
	out, code = c.checker(t, "mutate", "tiny")
	assert.Equal(t, exitFault, code, "a solution that fails would seem to have all its mutants killed:\n%s", out)
	assert.Contains(t, out, `solutions/07-tiny is "fail"`)
}
