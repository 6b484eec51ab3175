package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/assert"

	"prokata/checker/internal/check"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/kata"
)

// A recorder is a doer that does nothing, and notes what it was asked for.
type recorder struct {
	asked []string
	stand map[string]int
}

func (r *recorder) note(format string, args ...any) tea.Cmd {
	r.asked = append(r.asked, fmt.Sprintf(format, args...))
	return nil
}

func (r *recorder) check(n int, k kata.Kata, force bool) tea.Cmd {
	return r.note("check %d %s %v", n, k.Name, force)
}
func (r *recorder) stop() tea.Cmd               { return r.note("stop") }
func (r *recorder) follow(k kata.Kata)          { r.note("follow %s", k.Name) }
func (r *recorder) explain(code string) tea.Cmd { return r.note("explain %s", code) }
func (r *recorder) reset(k kata.Kata) tea.Cmd   { return r.note("reset %s", k.Name) }
func (r *recorder) standing() map[string]int    { return r.stand }
func (r *recorder) hint(k kata.Kata, step, level int) tea.Cmd {
	return r.note("hint %s %d %d", k.Name, step, level)
}

func (r *recorder) solution(k kata.Kata, step int) tea.Cmd {
	return r.note("solution %s %d", k.Name, step)
}

var katas = []kata.Kata{
	{
		Number: 1, Name: "spawn", Folder: "01-spawn", Files: []string{"spawn.go"},
		Steps: []kata.Step{{Name: "hello", Goal: "It prints.", Group: kata.Core}, {Name: "more", Goal: "It prints more.", Group: kata.Core}},
		Tests: []kata.Test{{Name: "TestHello", Step: 1}, {Name: "TestMore", Step: 2}},
	},
	{Number: 2, Name: "pool", Folder: "02-pool", Files: []string{"pool.go"}, Tests: []kata.Test{{Name: "TestPool"}}},
}

// failed is a verdict on the first kata, whose second step does not hold.
func failed() grade.Kata {
	v := grade.Untouched(katas[0])
	v.Untouched, v.Verdict = false, grade.Fail
	v.Steps[0].Verdict, v.Steps[1].Verdict = grade.Pass, grade.Fail
	v.Tests[0].Verdict, v.Tests[1].Verdict = grade.Pass, grade.Fail
	v.Findings = []detect.Finding{{
		Code: "orphan", Message: "a child outlived your program", Test: "TestMore", File: "katas/01-spawn/spawn.go", Line: 31,
		Detail: []string{"pid 4312 was still running"}, Next: "wait for every child that you start",
	}}
	return v
}

// play sends messages to a new model; a string is a key.
func play(r *recorder, msgs ...any) model {
	var m tea.Model = newModel(r, katas, 0, false)
	for _, msg := range msgs {
		if s, ok := msg.(string); ok {
			k := tea.Key{Text: s}
			switch s {
			case "ctrl+z":
				k = tea.Key{Code: 'z', Mod: tea.ModCtrl}
			case "enter":
				k = tea.Key{Code: tea.KeyEnter}
			case "down":
				k = tea.Key{Code: tea.KeyDown}
			}
			msg = tea.KeyPressMsg(k)
		}
		m, _ = m.Update(msg)
	}
	return m.(model)
}

// A save begins a run; what an older run says is not shown, and the answer of the save
// before is marked as such until the new one is there.
func TestSaves(t *testing.T) {
	r := &recorder{stand: map[string]int{"spawn": 2}}
	m := play(r, saved{"spawn"}, saved{"pool"}, begun{1, check.Stage{Running: true}})
	assert.Equal(t, []string{"check 1 spawn false"}, r.asked, "the other kata is not watched")
	assert.Contains(t, m.screen(), "1 spawn · step 2 of 2 · running …")
	assert.Contains(t, m.screen(), "The file to edit: katas/01-spawn/spawn.go")

	m = play(r, saved{"spawn"}, begun{1, check.Stage{Race: true}}, library{1})
	assert.Contains(t, m.screen(), "compiling the standard library, the first time only …")
	m = play(r, saved{"spawn"}, begun{1, check.Stage{}}, library{1}, begun{1, check.Stage{Running: true}})
	assert.NotContains(t, m.screen(), "standard library")

	m = play(r, saved{"spawn"}, verdict{n: 1, kata: failed()}, saved{"spawn"})
	assert.Contains(t, m.screen(), "building …")
	assert.Contains(t, m.screen(), "of the save before this one:")
	assert.Contains(t, m.screen(), "a child outlived your program")

	m = play(r, saved{"spawn"}, saved{"spawn"}, verdict{n: 1, kata: failed()}, begun{1, check.Stage{Race: true}})
	assert.NotContains(t, m.screen(), "outlived", "the first run was ended by the second save")
	assert.NotContains(t, m.screen(), "race detector")

	m = play(r, saved{"spawn"}, verdict{n: 1, err: errors.New("no space\x1b[2J")})
	assert.Contains(t, m.screen(), `the check could not be made: no space\x1b[2J`)
	assert.Contains(t, m.screen(), "waits for a save")
}

// A verdict takes the place of a hint, but not of the name under which a reset has kept
// what the learner wrote.
func TestStays(t *testing.T) {
	for _, stays := range []bool{false, true} {
		m := play(&recorder{}, saved{"spawn"}, shown{"begun anew", "spawn.go is kept as spawn.go.old1", stays}, verdict{n: 1, kata: failed()})
		assert.Equal(t, stays, strings.Contains(m.screen(), "spawn.go.old1"))
		assert.NotContains(t, play(&recorder{}, shown{"begun anew", "spawn.go.old1", stays}, "enter").screen(), "spawn.go.old1")
	}
}

// The view is that of make check: the steps that hold, the one that is next, its finding.
func TestResult(t *testing.T) {
	m := play(&recorder{stand: map[string]int{"spawn": 2}}, saved{"spawn"}, verdict{n: 1, kata: failed(), before: 3})
	for _, part := range []string{"✓ hello", "→ 2 more", "orphan: a child outlived your program", "next: wait for every child"} {
		assert.Contains(t, m.screen(), part)
	}
	v := failed()
	v.Verdict, v.Findings = grade.Pass, nil
	v.Steps[1].Verdict, v.Tests[1].Verdict = grade.Pass, grade.Pass
	m = play(&recorder{stand: map[string]int{"spawn": 3}}, saved{"spawn"}, verdict{n: 1, kata: v})
	assert.Contains(t, m.screen(), "all 2 steps")
	assert.Contains(t, m.screen(), "n goes on to pool", "and it does not go there by itself")
	assert.Equal(t, 0, m.at)
}

func TestKeys(t *testing.T) {
	done := verdict{n: 1, kata: failed()}
	for _, row := range []struct {
		name string
		msgs []any
		want []string // of the doer, after the first check
	}{
		{"each press is one hint more, and three are all", []any{"h", "h", "h", "h"}, []string{"hint spawn 2 1", "hint spawn 2 2", "hint spawn 2 3", "hint spawn 2 3"}},
		{"a verdict begins the hints anew", []any{"h", "h", done, "h"}, []string{"hint spawn 2 1", "hint spawn 2 2", "hint spawn 2 1"}},
		{"explains what is told first", []any{"e"}, []string{"explain orphan"}},
		{"the reference of the last step that holds", []any{"s"}, []string{"solution spawn 1"}},
		{"by hand it is run whatever was proved", []any{"r"}, []string{"check 2 spawn true"}},
		{"the next kata", []any{"n"}, []string{"follow pool", "check 2 pool false"}},
		{"there is none before the first", []any{"p"}, nil},
		{"jump from the list", []any{"l", "down", "enter"}, []string{"follow pool", "check 2 pool false"}},
		{"to begin anew is asked first", []any{"x"}, nil},
		{"and said yes to", []any{"x", "y"}, []string{"reset spawn"}},
		{"or not", []any{"x", "r"}, nil},
		{"a verdict does not answer the question", []any{"x", done, "y"}, []string{"reset spawn"}},
		{"suspended, nothing runs on", []any{"ctrl+z"}, []string{"stop"}},
		{"and it begins anew", []any{"ctrl+z", tea.ResumeMsg{}}, []string{"stop", "check 3 spawn false"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := &recorder{stand: map[string]int{"spawn": 2}}
			play(r, append([]any{saved{"spawn"}, done}, row.msgs...)...)
			assert.Equal(t, row.want, append([]string(nil), r.asked[1:]...))
		})
	}
	r := &recorder{}
	m := play(r, saved{"spawn"}, "s")
	assert.Contains(t, m.screen(), "No step holds yet")
	assert.Contains(t, play(r, "x").screen(), "Begin spawn anew?")
}

// Whatever the size, the screen is no wider and no higher, the keys are on it where there
// is room, and all of the text can be reached.
func TestSizes(t *testing.T) {
	for _, size := range []tea.WindowSizeMsg{{Width: 80, Height: 24}, {Width: 40, Height: 12}, {Width: 300, Height: 80}, {Width: 20, Height: 8}, {Width: 80, Height: 3}} {
		m := play(&recorder{stand: map[string]int{"spawn": 2}}, size, saved{"spawn"}, verdict{n: 1, kata: failed()})
		seen := ""
		for range 200 {
			lines := strings.Split(m.screen(), "\n")
			assert.LessOrEqual(t, len(lines), size.Height, "%v", size)
			for _, l := range lines {
				assert.LessOrEqual(t, ansi.StringWidth(l), size.Width, "%v: %q", size, l)
			}
			seen += m.screen()
			next, _ := m.key("down")
			m = next.(model)
		}
		if size.Height > 3 {
			assert.True(t, strings.Contains(seen, "h hint") || strings.Contains(seen, "h e s"), "%v: the keys", size)
			assert.True(t, strings.Contains(seen, "CODE=orphan)"), "%v: the end of the text", size)
		}
	}
}

// Without colours nothing is painted.
func TestColour(t *testing.T) {
	msgs := []any{saved{"spawn"}, verdict{n: 1, kata: failed()}}
	assert.NotContains(t, play(&recorder{}, msgs...).screen(), "\x1b")
	m := play(&recorder{}, msgs...)
	m.colour = true
	assert.Contains(t, m.screen(), "\x1b[1m")
}
