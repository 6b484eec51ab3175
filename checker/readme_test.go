package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prokata/checker/internal/judge/report"
	"prokata/checker/internal/source/kata"
)

// The table of README.md is made from the kata.json files.
func TestReadmeTable(t *testing.T) {
	katas, err := kata.All("..")
	require.NoError(t, err)
	b, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(b), "<!-- made by: bin/checker list --markdown -->\n")
	require.True(t, ok, "README.md has lost the mark before its table")
	table, _, ok := strings.Cut(rest, "<!-- end -->")
	require.True(t, ok, "README.md has lost the mark behind its table")
	require.Equal(t, report.Table(katas), table, "README.md is stale: put the output of `bin/checker list --markdown` between its marks")
}

// What README.md shows of a report was really told.
func TestReadmeReport(t *testing.T) {
	b, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(b), "<!-- a part of ")
	require.True(t, ok)
	file, rest, ok := strings.Cut(rest, " -->\n")
	require.True(t, ok)
	shown, _, ok := strings.Cut(rest, "<!-- end -->")
	require.True(t, ok)
	report, err := os.ReadFile("../" + file)
	require.NoError(t, err)
	for line := range strings.Lines(shown) {
		require.Contains(t, string(report), line, "README.md shows a line that %s does not hold", file)
	}
}
