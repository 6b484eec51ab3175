package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"prokata/checker/internal/check"
	"prokata/checker/internal/source/kata"
)

// Whoever waits for many runs without a terminal sees a line for each; of one run
// nothing is said.
func TestProgressOfRuns(t *testing.T) {
	var b bytes.Buffer
	k := kata.Kata{Name: "spawn"}
	p := &progress{w: &b, repeat: 1, start: time.Now()}
	p.ran(k, 1)
	assert.Empty(t, b.String())
	p.repeat = 3
	for n := range 3 {
		p.ran(k, n+1)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	assert.Len(t, lines, 3)
	assert.Contains(t, lines[1], "spawn: 2 of 3 runs")
}

// The first build is told of once for each of the two forms of the standard library, and
// a kata's own packages are not taken for it.
func TestProgressOfTheFirstBuild(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b, start: time.Now(), said: map[bool]bool{}}
	for range few {
		p.compiling("prokata/katas/01-spawn", false)
	}
	assert.Empty(t, b.String())
	for _, race := range []bool{false, true} {
		for range 3 * few {
			p.compiling("os", race)
		}
	}
	assert.Equal(t, 2, strings.Count(b.String(), "the first time only"), b.String())
	assert.Equal(t, 1, strings.Count(b.String(), "race detector"), b.String())
}

// On a terminal it is one line, however narrow, and it is gone before anything else is
// written.
func TestProgressIsOneLine(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b, terminal: true, width: func() int { return 40 }, of: 10, start: time.Now()}
	p.begun(kata.Kata{Name: "spawn"}, check.Stage{Race: true})
	p.begun(kata.Kata{Name: "pool"}, check.Stage{})
	p.begun(kata.Kata{Name: "spawn"}, check.Stage{Running: true, Race: true})
	p.ended("pool")
	p.draw()
	line := strings.TrimPrefix(b.String(), "\r\x1b[K")
	assert.Equal(t, "1 of 10 · 0 s · spawn: running with the", line)
	assert.Less(t, utf8.RuneCountInString(line), 40)
	b.Reset()
	p.repeat = 5
	p.width = func() int { return 80 }
	p.ran(kata.Kata{Name: "spawn"}, 2)
	p.draw()
	assert.Contains(t, b.String(), "spawn: running with the race detector, run 3 of 5")
	p.aside(func() { b.WriteString("a verdict\n") })
	assert.True(t, strings.HasSuffix(b.String(), "\r\x1b[Ka verdict\n"))
}
