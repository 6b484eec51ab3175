package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// No variable is taken and not heeded: a slip in its name is refused, and what is given
// comes to the checker as it was given. Nothing is run.
func TestMakefile(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("not checked on this system: there is no make")
	}
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"check", "KATAS=spawn"}, "make check does not take KATAS"},
		{[]string{"check", "kata=spawn"}, "make check does not take kata"},
		{[]string{"hint", "KATA=spawn", "REPEAT=2"}, "make hint does not take REPEAT"},
		{[]string{"check", "KATA=a'b; c", "REPEAT=-1"}, `-- 'a'\''b;' 'c'`},
		{[]string{"check", "KATA=spawn", "FROM=a b", "VERBOSE=0"}, "check --from='a b'"},
		{[]string{"check", "VERBOSE=1"}, "--verbose"},
		{[]string{"grade", "CLASS=a b", "ROSTER=c.csv", "TRUST=1"}, "--trust -- 'a b'"},
		{[]string{"grade", "FROM=x"}, "make grade does not take FROM"},
		{[]string{"timeline", "KATA=spawn", "FROM=a b", "TEST=TestX", "TEXT=1"}, "--test='TestX' --text  -- 'spawn'"},
		{[]string{"timeline", "KATA=spawn", "REPEAT=2"}, "make timeline does not take REPEAT"},
	} {
		args := append([]string{"-C", "..", "-n", "-o", "bin/checker"}, row.args...)
		out, err := exec.Command("make", args...).CombinedOutput()
		assert.Equal(t, strings.Contains(row.want, "does not take"), err != nil, "make %q: %s", row.args, out)
		assert.Contains(t, string(out), row.want, "make %q", row.args)
		if row.args[len(row.args)-1] == "VERBOSE=0" {
			assert.NotContains(t, string(out), "--verbose")
		}
	}
}
