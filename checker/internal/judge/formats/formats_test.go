package formats

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
)

// sample is a kata with a verdict of every kind, and words that no format is made for.
func sample() grade.Kata {
	return grade.Kata{
		Number: 1, Name: "spawn", Verdict: grade.Fail, Score: 3, Max: 8, Seconds: 1.5,
		Steps: []grade.Step{
			{Number: 1, Name: "hello", Group: "core", Verdict: grade.Pass, Points: 3},
			{Number: 2, Name: "at-once", Group: "core", Verdict: grade.Fail, Points: 3},
			{Number: 3, Name: "files", Group: "hard", Verdict: grade.NotStarted, Points: 2},
		},
		Tests: []grade.Test{
			{Name: "TestHello", Step: 1, Group: "core", Verdict: grade.Pass, Seconds: 0.25},
			{Name: "TestWrong", Step: 2, Group: "core", Verdict: grade.Fail},
			{Name: "TestSkipped", Step: 2, Group: "core", Verdict: grade.NotRun, Why: "no loopback"},
			{Name: "TestFlaky", Step: 2, Group: "core", Verdict: grade.Flaky},
			{Name: "TestFiles", Step: 3, Group: "hard", Verdict: grade.NotStarted, Unwritten: []string{"spawn: Run"}},
		},
		Findings: []detect.Finding{
			{Code: "wrong", Test: "TestWrong", Message: "got \x1b[31m\x00<a> & ]]> %,:\uFFFE\U0001F600", File: "01-spawn/spawn,x.go", Line: 7, Detail: []string{"line\nline"}, Next: "next"},
			{Code: "zombie", Test: "TestWrong", Message: "follows", Follows: "wrong"},
			{Code: "tamper", Message: "it reached"},
		},
	}
}

func check(katas ...grade.Kata) Check {
	return Check{Seed: 1, Start: time.Unix(1_790_000_000, 5e8), Sources: []Source{{Name: "Ada|Lovelace", Katas: katas}}}
}

func write(t *testing.T, f func(io.Writer, Check) error, c Check) string {
	var b bytes.Buffer
	require.NoError(t, f(&b, c))
	return b.String()
}

// many is a kata with so many tests that fail, each with a long text.
func many(tests, length int) grade.Kata {
	v := grade.Kata{Number: 2, Name: "pool", Verdict: grade.Fail}
	for i := range tests {
		name := fmt.Sprint("Test", i)
		v.Tests = append(v.Tests, grade.Test{Name: name, Group: "core", Verdict: grade.Fail})
		v.Findings = append(v.Findings, detect.Finding{Code: "wrong", Test: name, Message: "no", Detail: []string{strings.Repeat("ö ", length/3)}})
		for range length / 600 { // one line is bounded on its own
			v.Findings[i].Detail = append(v.Findings[i].Detail, strings.Repeat("é", 300))
		}
	}
	return v
}

func TestJUnit(t *testing.T) {
	text := write(t, JUnit, check(sample(), many(30, 9000)))
	var d junitSuites
	require.NoError(t, xml.Unmarshal([]byte(text), &d), "it is sound XML 1.0")
	assert.Equal(t, []int{36, 33, 0}, []int{d.Tests, d.Failures, d.Errors})
	require.Len(t, d.Suites, 2)
	assert.NotEqual(t, d.Suites[0].Name, d.Suites[1].Name)
	seen := map[string]bool{}
	for _, s := range d.Suites {
		assert.Regexp(t, `^\d+\.\d{3}$`, s.Time)
		assert.Equal(t, len(s.Cases), s.Tests)
		for _, c := range s.Cases {
			assert.NotEmpty(t, c.Class)
			assert.NotEmpty(t, c.Time)
			assert.False(t, seen[c.Class+c.Name], "%s %s would count once", c.Class, c.Name)
			seen[c.Class+c.Name] = true
			if c.Failure != nil {
				assert.LessOrEqual(t, len(c.Failure.Text), junitText)
			}
		}
	}
	assert.Equal(t, "wrong", d.Suites[0].Cases[1].Failure.Type)
	assert.NotContains(t, text, "\x1b")
	large := check()
	large.Sources = nil
	for i := range 40 {
		large.Sources = append(large.Sources, Source{Name: fmt.Sprint(i), Katas: []grade.Kata{many(200, 9000)}})
	}
	assert.Less(t, len(write(t, JUnit, large)), 30_000_000, "GitLab reads no larger file")
	v := sample()
	v.Verdict, v.Findings = grade.CheckerError, nil
	require.NoError(t, xml.Unmarshal([]byte(write(t, JUnit, check(v))), &d))
	assert.NotNil(t, d.Suites[len(d.Suites)-1].Cases[1].Error, "our trouble is nobody's failure")
}

// The schema allows no other field, and whole numbers alone.
func TestCTRF(t *testing.T) {
	text := write(t, CTRF, check(sample()))
	assert.NotRegexp(t, `: \d+\.\d`, text)
	allowed := map[string]string{
		"":                "reportFormat specVersion results",
		"results":         "tool summary tests environment extra",
		"results.tool":    "name version url extra",
		"results.summary": "tests passed failed skipped pending other suites start stop flaky extra",
		"results.tests":   "name status duration start stop suite message trace line ai rawStatus tags type filePath retries flaky browser device screenshot parameters steps attachments stdout stderr extra",
	}
	var d map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &d))
	var look func(path string, v any)
	look = func(path string, v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				look(path, e)
			}
		case map[string]any:
			for key, inner := range v {
				assert.Contains(t, strings.Fields(allowed[path]), key, path)
				if key != "extra" {
					look(strings.TrimPrefix(path+"."+key, "."), inner)
				}
			}
		}
	}
	look("", d)
	var typed ctrf
	require.NoError(t, json.Unmarshal([]byte(text), &typed))
	s := typed.Results.Summary
	assert.Equal(t, ctrfSummary{Tests: 5, Passed: 1, Failed: 2, Skipped: 1, Pending: 1, Start: 1_790_000_000_500, Stop: 1_790_000_002_000}, s)
	assert.True(t, typed.Results.Tests[3].Flaky)
}

func TestGradescope(t *testing.T) {
	var d gradescope
	require.NoError(t, json.Unmarshal([]byte(write(t, Gradescope, check(sample(), many(3, 60_000)))), &d))
	most := 0
	for _, test := range d.Tests {
		most += test.MaxScore
		assert.Contains(t, []string{"passed", "failed"}, test.Status)
		assert.LessOrEqual(t, len(test.Output), gradescopeText)
		assert.True(t, utf8.ValidString(test.Output))
	}
	assert.Equal(t, 8+9, most, "the sum is the assignment's points")
	assert.Nil(t, d.Score, "it would override the sum")
	assert.Equal(t, "hidden", d.StdoutVisibility)
	assert.Contains(t, d.Output, "tamper: it reached")
	require.NoError(t, json.Unmarshal([]byte(write(t, Gradescope, Check{})), &d))
	assert.NotNil(t, d.Score, "without tests a score must be there")
}

func TestClassroom50(t *testing.T) {
	text := write(t, func(w io.Writer, c Check) error {
		return Classroom50(w, c, func(name string) string { return "the " + name })
	}, check(sample()))
	var d map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &d))
	assert.Equal(t, "classroom50/result/v1", d["schema"])
	assert.Equal(t, "the SUBMISSION_TAG", d["submission"])
	assert.Equal(t, "2026-09-21T14:13:20Z", d["datetime"])
	assert.NotRegexp(t, `score": \d+\.`, text)
	assert.EqualValues(t, 3, d["score"])
	assert.EqualValues(t, 8, d["max-score"])
	assert.Len(t, d["tests"], 3)
}

func TestGitHub(t *testing.T) {
	text := write(t, GitHub, check(sample(), many(30, 0)))
	lines := strings.Split(strings.TrimSpace(text), "\n")
	assert.Len(t, lines, 10)
	assert.Contains(t, lines[9], "and 23 more")
	for _, line := range lines {
		assert.Regexp(t, regexp.MustCompile(`^::error (file=[^,:]+,line=\d+,)?title=[^,:]+::.*$`), line)
	}
	assert.Contains(t, text, "file=01-spawn/spawn%2Cx.go,line=7,title=Ada|Lovelace.spawn%3A wrong::got")
	assert.Contains(t, text, "%25,:")
	assert.NotContains(t, text, "follows")

	for _, c := range []Check{check(sample()), check(many(900, 3000)), {Sources: make([]Source, 0)}} {
		text := write(t, GitHubSummary, c)
		assert.LessOrEqual(t, len(text), githubSummary)
		assert.True(t, utf8.ValidString(text))
	}
	text = write(t, GitHubSummary, check(many(900, 3000)))
	assert.Contains(t, text, "There is more than a summary holds")
	assert.Contains(t, text, `| Ada\|Lovelace.pool | fail |`)
}

func TestExercism(t *testing.T) {
	var d exercism
	require.NoError(t, json.Unmarshal([]byte(write(t, Exercism, check(sample()))), &d))
	assert.Equal(t, 3, d.Version)
	assert.Equal(t, "fail", d.Status)
	var names []string
	for _, test := range d.Tests {
		names = append(names, test.Name)
	}
	assert.Equal(t, []string{"TestHello", "TestWrong", "TestFlaky", "TestFiles"}, names)
	assert.Equal(t, 2, d.Tests[1].TaskID)

	d = exercism{}
	require.NoError(t, json.Unmarshal([]byte(write(t, Exercism, check(many(1, 400_000)))), &d))
	assert.Equal(t, exercismMessage, utf8.RuneCountInString(d.Tests[0].Message))
	assert.True(t, strings.HasSuffix(d.Tests[0].Message, "(cut)"))

	v := many(2, 0)
	v.Findings = []detect.Finding{{Code: "build", Message: "spawn.go:3: syntax error"}}
	d = exercism{}
	require.NoError(t, json.Unmarshal([]byte(write(t, Exercism, check(v))), &d))
	assert.Equal(t, "error", d.Status, "no test ran")
	assert.Contains(t, d.Message, "syntax error")
	assert.Empty(t, d.Tests)
}

func TestFind(t *testing.T) {
	_, err := Find("junit")
	assert.NoError(t, err)
	_, err = Find("sarif")
	assert.ErrorContains(t, err, `there is no format "sarif"; the formats are junit, ctrf,`)
}
