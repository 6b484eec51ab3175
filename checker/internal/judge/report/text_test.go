package report

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
)

func TestPrintable(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"katas/01-spawn/spawn.go:31", "katas/01-spawn/spawn.go:31"},
		{"schläft schon, 睡", "schläft schon, 睡"},
		{"\x1b[2J\x1b[H 1 spawn pass 60/60", `\x1b[2J\x1b[H 1 spawn pass 60/60`},
		{"a\r\nb", `a\r\nb`},
		{"a\tb", "a b"},
		{"\u202egp.evil", `\u202egp.evil`},
		{"\u2066\u200b\ufeff", `\u2066\u200b\ufeff`},
		{"\x9b31m", `\x9b31m`},
		{"\u009b31m", `\u009b31m`},
		{"a\xff\x00", `a\xff\x00`},
		{"open /tmp/prokata-219942485/tmp/x/socket: no such file", "open $TMPDIR/x/socket: no such file"},
	} {
		assert.Equal(t, row.want, Printable(row.in))
	}
	assert.Less(t, len(Printable(strings.Repeat("a", 1<<20))), widest+40)
	assert.Equal(t, []string{"a", "", `b\x1b`}, Lines("a\r\n\nb\x1b\n"))
}

// evil is in every text of a verdict that a submission can write.
const evil = "x\x1b[2J\x1b]0;t\x07\u202e\xff\r\n 1 spawn         pass 60/60 correct\n"

// Nothing of what a submission can write reaches the terminal unprintable, or as a line
// of the checker's own.
func TestTextIsPrintable(t *testing.T) {
	f := func(code, follows string) detect.Finding {
		return detect.Finding{Code: code, Message: evil, Test: "Test" + evil, File: evil, Line: 3, Detail: []string{evil, evil}, Next: evil, Follows: follows}
	}
	v := grade.Kata{
		Number: 1, Name: "spawn", Verdict: grade.Fail, Why: evil, Source: evil, Unchecked: []string{evil},
		Tests: []grade.Test{
			{Name: "TestA" + evil, Group: "core", Verdict: grade.NotStarted, Unwritten: []string{evil}},
			{Name: "TestB" + evil, Group: "core", Verdict: grade.NotRun, Why: evil},
		},
		Notes:    []evidence.Breach{{File: evil, Rule: evil, Message: evil}},
		Findings: []detect.Finding{f("wrong", ""), f("fd-leak", "wrong"), f("orphan", detect.NotStarted)},
	}
	for _, verbose := range []bool{false, true} {
		var b bytes.Buffer
		text := Text{W: &b, Verbose: verbose}
		text.Kata(v)
		text.Summary([]grade.Kata{v}, 1, 1)
		require.NotEmpty(t, b.String())
		for i, line := range strings.Split(b.String(), "\n") {
			assert.True(t, utf8.ValidString(line), "%q", line)
			for _, r := range line {
				assert.True(t, strconv.IsPrint(r), "%q in %q", r, line)
			}
			if i > 0 {
				assert.False(t, strings.HasPrefix(line, " 1 "), "a forged line: %q", line)
			}
		}
	}
}

// A badge is for what was proved: of a kata that passed, by a detector that could look.
func TestBadges(t *testing.T) {
	v := grade.Kata{Number: 1, Name: "spawn", Verdict: grade.Pass, RaceBuilt: true, Score: 5, Max: 5, Tests: []grade.Test{{Name: "TestA", Verdict: grade.Pass}}}
	assert.Equal(t, []string{"correct", "race-free", "deadlock-free", "leak-free", "processes"}, held(v))
	v.RaceBuilt = false
	assert.NotContains(t, held(v), "race-free", "nobody looked")
	v.Unchecked = []string{"shm-leak"}
	assert.NotContains(t, held(v), "leak-free")
	for _, verdict := range []grade.Verdict{grade.Fail, grade.Flaky, grade.NotStarted, grade.NotRun, grade.CheckerError} {
		v.Verdict = verdict
		assert.Empty(t, held(v), verdict)
	}
}

// What follows from a finding is told with it, in a line, and not as another one.
func TestConsequences(t *testing.T) {
	var b bytes.Buffer
	Text{W: &b}.Findings(grade.Kata{Name: "queue", Findings: []detect.Finding{
		{Code: "wrong", Message: "Start returned no error", Test: "TestX", File: "katas/q_test.go", Line: 3, Next: "read it"},
		{Code: "deadlock", Message: "no process could go on", Test: "TestX", File: "q.go", Line: 8, Follows: "wrong"},
		{Code: "fd-leak", Message: "a pipe was left", Test: "TestY", Follows: detect.NotStarted},
	}})
	assert.Equal(t, `
    wrong: Start returned no error
        in TestX, katas/q_test.go:3
        which may explain: deadlock (q.go:8): no process could go on

    next: read it
    (make hint KATA=queue · make explain CODE=wrong)

`, b.String())
}
