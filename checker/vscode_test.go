package main

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/judge/report"
)

// An editor finds the findings in what a check prints: the patterns of .vscode/tasks.json
// fit the lines, one below the other.
func TestProblemMatchers(t *testing.T) {
	var tasks struct {
		Tasks []struct {
			Label          string
			ProblemMatcher []json.RawMessage
		}
	}
	b, err := os.ReadFile("../.vscode/tasks.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &tasks))
	// found is what a task's own matchers find in a text, as "file:line code message".
	found := func(label, text string) (all []string) {
		for _, task := range tasks.Tasks {
			if task.Label != label {
				continue
			}
			for _, raw := range task.ProblemMatcher {
				var m struct {
					Pattern []struct {
						Regexp                    string
						File, Line, Code, Message int
					}
				}
				if json.Unmarshal(raw, &m) != nil {
					continue // one of the editor's own, by its name
				}
				lines := strings.Split(text, "\n")
				for i := range lines {
					what := map[string]string{}
					whole := true
					for j, p := range m.Pattern {
						if i+j >= len(lines) {
							whole = false
							break
						}
						groups := regexp.MustCompile(p.Regexp).FindStringSubmatch(lines[i+j])
						if whole = whole && groups != nil; !whole {
							break
						}
						for name, n := range map[string]int{"file": p.File, "line": p.Line, "code": p.Code, "message": p.Message} {
							if n > 0 {
								what[name] = groups[n]
							}
						}
					}
					if whole {
						all = append(all, what["file"]+":"+what["line"]+" "+what["code"]+" "+what["message"])
					}
				}
			}
		}
		return all
	}

	var out bytes.Buffer
	report.Text{W: &out}.Kata(grade.Kata{Number: 1, Name: "spawn", Verdict: grade.Fail, Findings: []detect.Finding{
		{Code: "fd-leak", Message: "your program left a pipe open", Test: "TestHello", File: "katas/01-spawn/spawn.go", Line: 31, Detail: []string{"opened there"}, Next: "close it"},
		{Code: "zombie", Message: "a child was not waited for", Test: "TestHello"},
	}})
	assert.Equal(t, []string{"katas/01-spawn/spawn.go:31 fd-leak your program left a pipe open"}, found("check this kata", out.String()))
	out.Reset()
	report.Text{W: &out}.Kata(grade.Kata{Number: 1, Name: "spawn", Verdict: grade.Fail, Findings: []detect.Finding{
		{Code: "build", Message: "your program did not compile", Detail: []string{"katas/01-spawn/spawn.go:31:2: undefined: x"}},
	}})
	assert.Equal(t, []string{"katas/01-spawn/spawn.go:31  undefined: x"}, found("check this kata", out.String()))
	assert.Equal(t, []string{"katas/01-spawn/spawn.go:31  fd-leak: a pipe"}, found("test this kata, by go test", "katas/01-spawn/spawn.go:31: fd-leak: a pipe\n"))
	assert.Equal(t, []string{"katas/01-spawn/spawn.go:31  undefined: x"}, found("test this kata, by go test", "katas/01-spawn/spawn.go:31:2: undefined: x\n"))
}
