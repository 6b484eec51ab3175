package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/check"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/source/build"
)

// unshown are findings of which no program tells in one test: of what does not compile, or
// is refused, none runs (package policy, testdata/hostile).
var unshown = map[string]bool{"build": true, "tamper": true}

// The WRONG program of each finding's page is really run, and its mistake is found, as the
// cause; in the RIGHT one nothing is found.
func TestFindings(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not checked on this system: what becomes of processes")
	}
	p := scratch(t, "findings")
	self, err := os.Executable()
	require.NoError(t, err)
	p.Seed, p.Race = 1, true
	r, err := check.Run(t.Context(), build.New(t.TempDir()), p, []string{self, "supervise"})
	require.NoError(t, err)
	require.True(t, r.Build.OK, r.Build.Output)
	require.Empty(t, r.Fault)
	found := map[string][]string{} // codes by test
	for _, f := range detect.Causes(detect.All(r)) {
		found[f.Test] = append(found[f.Test], f.Code)
	}
	for _, d := range detect.Detectors() {
		if unshown[d.Code] {
			continue
		}
		assert.Equal(t, []string{d.Code}, found["Test"+camel(d.Code)+"Wrong"], "the wrong program of %s", d.Code)
		assert.Empty(t, found["Test"+camel(d.Code)+"Right"], "the right program of %s", d.Code)
	}
	assert.Len(t, r.Tests, 2*(len(detect.Detectors())-len(unshown)))
	for _, test := range r.Tests {
		assert.NotEmpty(t, test.Status, "%s did not run: %s", test.Name, test.Unjudged)
	}
}

// camel is a code as a name of Go: "fd-leak" is "FdLeak".
func camel(code string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(code, "-") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// The pages in docs/findings are made from the detectors' own text, and from the programs
// that TestFindings runs.
func TestFindingPages(t *testing.T) {
	dir := filepath.Join("..", "docs", "findings")
	index := "# What the checker finds\n\nA page for each finding, as `make explain CODE=…` prints it, with programs that\nthe checker's own tests run.\n\n"
	pages := map[string]string{}
	for _, d := range detect.Detectors() {
		pages[d.Code+".md"] = findingPage(t, d)
		index += fmt.Sprintf("- [%s](%s.md): %s\n", d.Code, d.Code, d.Title)
	}
	pages["README.md"] = index
	if *update {
		require.NoError(t, os.MkdirAll(dir, 0o755))
		for name, text := range pages {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		}
	}
	there, err := filepath.Glob(filepath.Join(dir, "*.md"))
	require.NoError(t, err)
	assert.Len(t, there, len(pages))
	for name, text := range pages {
		b, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, text, string(b), "%s is stale: go test ./checker -run FindingPages -update", name)
	}
}

func findingPage(t *testing.T, d detect.Detector) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %s\n\n<!-- made from the detector's own text: go test ./checker -run FindingPages -update -->\n\n", d.Code, d.Title)
	for paragraph := range strings.SplitSeq(strings.TrimSpace(d.Doc), "\n\n") {
		if strings.HasPrefix(paragraph, "WRONG") || strings.HasPrefix(paragraph, "RIGHT") {
			paragraph = "```\n" + paragraph + "\n```"
		}
		b.WriteString(paragraph + "\n\n")
	}
	if !unshown[d.Code] {
		program, err := os.ReadFile(filepath.Join("testdata", "findings", strings.ReplaceAll(d.Code, "-", "_")+".go"))
		require.NoError(t, err)
		fmt.Fprintf(&b, "## Both as programs\n\nThe first one makes the mistake, and the checker finds it; in the other one it finds\nnothing. The checker's own tests run both.\n\n```go\n%s```\n\n", program)
	}
	b.WriteString("[All findings](README.md)\n")
	return b.String()
}
