package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/kata"
)

// stuck is a verdict on a kata of twelve steps whose third does not hold, with many
// findings of long proofs.
func stuck() grade.Kata {
	k := kata.Kata{Number: 1, Name: "spawn", Folder: "01-spawn"}
	for i := range 12 {
		k.Steps = append(k.Steps, kata.Step{Name: fmt.Sprintf("step-%d", i+1), Goal: "It does one thing more.", Group: kata.Core})
		k.Tests = append(k.Tests, kata.Test{Name: fmt.Sprintf("Test%dA", i+1), Step: i + 1}, kata.Test{Name: fmt.Sprintf("Test%dB", i+1), Step: i + 1})
	}
	v := grade.Untouched(k)
	v.Untouched, v.Verdict = false, grade.Fail
	for i := range 2 {
		v.Steps[i].Verdict, v.Tests[2*i].Verdict, v.Tests[2*i+1].Verdict = grade.Pass, grade.Pass, grade.Pass
	}
	v.Steps[2].Verdict = grade.Fail
	detail := []string{"(-want +got)\n  a\n- b\n+ c"}
	for i := range 50 {
		detail = append(detail, fmt.Sprintf("line %d of the proof", i+1))
	}
	finding := func(code, test, follows string) detect.Finding {
		return detect.Finding{Code: code, Message: "it hung", Test: test, File: "katas/01-spawn/spawn.go", Line: 31, Detail: detail, Next: "let it go on", Follows: follows}
	}
	v.Findings = []detect.Finding{
		finding("wrong", "Test3A", ""), finding("wrong", "Test3B", ""), finding("orphan", "Test3B", ""),
		finding("fd-leak", "Test3A", "wrong"), finding("zombie", "Test3A", "wrong"), finding("shm-leak", "Test3A", "wrong"),
		finding("deadlock", "Test5A", ""),
	}
	return v
}

// Who climbs sees one screen: the step, its first finding, what it costs elsewhere, and
// the next commands. Equal findings are told once.
func TestClimbFitsAScreen(t *testing.T) {
	var b bytes.Buffer
	text := Text{W: &b}
	text.Climb(stuck(), 5, false)
	text.Summary([]grade.Kata{stuck()}, 1, 1)
	s := b.String()
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	assert.LessOrEqual(t, len(lines), 24, s)
	for _, l := range lines {
		assert.LessOrEqual(t, len([]rune(l)), 80, l)
	}
	assert.Contains(t, lines[1], "step 3, step-3, held before and does not hold any more", "that comes first")
	assert.Equal(t, 1, strings.Count(s, "wrong: it hung"), s)
	assert.Contains(t, s, "also in Test3B")
	assert.NotContains(t, s, "deadlock", "that is of a later step")
	assert.Contains(t, s, "make hint KATA=spawn STEP=3")
	assert.Contains(t, s, "make explain CODE=wrong")

	b.Reset()
	untouched := stuck()
	untouched.Untouched = true
	text.Climb(untouched, 5, false)
	assert.NotContains(t, b.String(), "held before", "who begins anew knows")

	b.Reset()
	text.Climb(stuck(), 0, true)
	assert.Equal(t, 1, strings.Count(b.String(), "\n"), "one of many is one line: %s", b.String())
	assert.Contains(t, b.String(), "step 3 of 12")
}

// A sentence is broken between words at the terminal's end, and nowhere else.
func TestSentences(t *testing.T) {
	v := stuck()
	v.Steps[2].Goal = "It does one thing more, and it goes on to do that for as long as anybody wants it to, and longer."
	for _, width := range []int{0, 40, 80, 300} {
		for _, colour := range []bool{false, true} {
			var b bytes.Buffer
			Text{W: &b, Width: width, Colour: colour}.Climb(v, 0, false)
			bare := colours.ReplaceAllString(b.String(), "")
			_, goal, _ := strings.Cut(bare, "→")
			goal, _, _ = strings.Cut(goal, "\n\n")
			assert.Equal(t, "3 step-3 (core, 3 points): "+v.Steps[2].Goal, strings.Join(strings.Fields(goal), " "))
			lines := strings.Split(goal, "\n")
			assert.Equal(t, width == 0 || width == 300, len(lines) == 1)
			for _, l := range lines[1:] {
				assert.LessOrEqual(t, len(l), width)
			}
		}
	}
}
