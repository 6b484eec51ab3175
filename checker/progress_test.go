package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Whoever waits for many runs without a terminal sees a line for each; of one run
// nothing is said.
func TestProgressOfRuns(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b, start: time.Now()}
	p.ran("spawn", 1, 1)
	assert.Empty(t, b.String())
	for n := range 3 {
		p.ran("spawn", n+1, 3)
	}
	p.clear()
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	assert.Len(t, lines, 3)
	assert.Contains(t, lines[1], "spawn: 2 of 3 runs")
}

// What the go command prints as a package's name draws nothing on the terminal.
func TestProgressIsPrintable(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b, terminal: true, start: time.Now().Add(-time.Minute)}
	for range 20 {
		p.building("evil\x1b[2J")
	}
	assert.Contains(t, b.String(), `evil\x1b[2J`)
	assert.NotContains(t, b.String(), "evil\x1b")
}
