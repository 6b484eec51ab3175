package page

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/class/book"
	"prokata/checker/internal/class/roster"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
)

// evil is what a submission, or a roster, might say.
const evil = `</script><script>document.title="owned"</script><img src=x onerror="document.title='owned'">` + "\u202e\x1b[31m"

func class() *book.Class {
	c := &book.Class{
		Title: "Parallel programming, autumn", Seed: 1, Repeat: 1, Go: "go1.26", System: "linux/amd64",
		Katas:    []book.Kata{{Number: 1, Name: "spawn", Max: 5}, {Number: 3, Name: "shared-memory", Max: 6}},
		Problems: []string{"stranger.zip: the roster has no such student"},
	}
	for i := range 40 {
		s := book.Student{Student: roster.Student{Key: fmt.Sprint(1000 + i), Name: fmt.Sprintf("Student %c%02d", 'A'+i*7%26, i), Email: "x@example.edu"}, From: fmt.Sprintf("folder-%d", i), Late: i == 4}
		spawn := grade.Kata{
			Number: 1, Name: "spawn", Verdict: grade.Pass,
			Steps: []grade.Step{{Number: 1, Name: "hello", Goal: "Three children print.", Group: "core", Verdict: grade.Pass, Points: 3}, {Number: 2, Name: "at-once", Goal: "All at once.", Group: "hard", Verdict: grade.Pass, Points: 2}},
			Tests: []grade.Test{{Name: "TestHello", Step: 1, Group: "core", Verdict: grade.Pass}, {Name: "TestAliveTogether", Step: 2, Group: "hard", Verdict: grade.Pass}},
		}
		points, outcome := 5.0, book.Passed
		if i%3 == 0 {
			points, outcome, spawn.Verdict = 3, book.Failed, grade.Fail
			spawn.Steps[1].Verdict, spawn.Tests[1].Verdict = grade.Fail, grade.Fail
			spawn.Findings = []detect.Finding{{Code: "zombie", Message: "a child ended and your program never waited for it", Test: "TestAliveTogether", File: "01-spawn/spawn.go", Line: 31, Detail: []string{evil}, Next: "call Wait"}}
		}
		s.Grades = []book.Grade{{Kata: "spawn", Outcome: outcome, Points: points, Max: 5, Verdict: &spawn}, {Kata: "shared-memory", Outcome: book.Failed, Max: 6, Why: "it was not handed in"}}
		s.Points = points
		switch i {
		case 7:
			s.Grades[0] = book.Grade{Kata: "spawn", Outcome: book.Broken, Max: 5, Why: "bomb.zip: it unpacks to more than 128 MiB"}
		case 8:
			s.From, s.Grades[0].Verdict = "", nil
		case 9:
			s.Name, s.Notes = evil, []string{evil}
		case 10:
			s.Grades[0].Same = []string{"1011"}
		}
		c.Students = append(c.Students, s)
	}
	return c
}

// A page needs nothing from elsewhere, and what others have written is only shown.
func TestPagesAreWhole(t *testing.T) {
	c := class()
	var all, own bytes.Buffer
	require.NoError(t, Class(&all, c))
	require.NoError(t, Student(&own, c, c.Students[10]))
	for _, text := range []string{all.String(), own.String()} {
		assert.NotContains(t, text, "http://")
		assert.NotContains(t, text, "https://")
		assert.NotContains(t, text, "<img")
		assert.NotContains(t, text, "\x1b")
		assert.NotContains(t, text, "\u202e")
	}
	assert.Equal(t, 1, strings.Count(all.String(), "<script>"))
	assert.NotContains(t, own.String(), "<script>")
	// A student's page tells of nobody else.
	assert.NotContains(t, own.String(), "1011")
	assert.NotContains(t, own.String(), "Student A00")
	assert.Equal(t, []string{"1011"}, c.Students[10].Grades[0].Same, "the teacher's page still has it")
}

// What several tests have in common is told once.
func TestAlike(t *testing.T) {
	got := alike([]detect.Finding{
		{Code: "zombie", Message: "m", Test: "TestA", Line: 1},
		{Code: "wrong", Message: "m", Test: "TestA"},
		{Code: "zombie", Message: "m", Test: "TestB", Line: 2},
		{Code: "zombie", Message: "m", Test: "TestC", Follows: "wrong"},
		{Code: "build", Message: "m"},
	})
	require.Len(t, got, 3)
	assert.Equal(t, []string{"TestA", "TestB"}, got[0].Tests)
	assert.Equal(t, 1, got[0].Line)
	assert.Empty(t, got[2].Tests)
}

// chromium finds the browser. Where it must be there, a test without it fails.
func chromium(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("PROKATA_CHROMIUM") == "required" {
		t.Fatal("there is no Chromium")
	}
	t.Skip("not checked on this system: there is no Chromium")
	return ""
}

// TestInBrowser uses the class's page as a teacher does. PROKATA_SCREENSHOTS=DIR keeps
// what it looks like.
func TestInBrowser(t *testing.T) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	limited, cancel := context.WithTimeout(t.Context(), 90*time.Second) // a browser that hangs
	defer cancel()
	ctx, cancel := chromedp.NewExecAllocator(limited, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()

	dir := t.TempDir()
	var page bytes.Buffer
	require.NoError(t, Class(&page, class()))
	path := filepath.Join(dir, "report.html")
	require.NoError(t, os.WriteFile(path, page.Bytes(), 0o600))
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		require.NoError(t, chromedp.Do(ctx, steps...))
	}
	is := func(want any, js string) {
		t.Helper()
		got, err := chromedp.Run(ctx, chromedp.Evaluate[any](js))
		require.NoError(t, err, js)
		assert.EqualValues(t, want, got, js)
	}
	shoot := func(name string) {
		dir := os.Getenv("PROKATA_SCREENSHOTS")
		if dir == "" {
			return
		}
		picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600))
	}
	filter := func(want string) {
		is(true, `(() => { const f = document.getElementById("filter"); f.value = "`+want+`"; return f.dispatchEvent(new Event("change")) })()`)
	}
	do(chromedp.Navigate("about:blank"))
	console := chromedp.Console(ctx)
	const shown, first = `document.querySelectorAll("#students tbody tr:not([hidden])").length`, `document.querySelector("#students tbody tr:not([hidden]) a").textContent`
	chromed := func() { do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate("file://"+path)) }
	chromed()
	is(40, shown)
	is("Student A00", first)

	do(chromedp.Click(chromedp.CSS("#students th:nth-child(2) button"))) // the most points first
	is("descending", `document.querySelector("#students th:nth-child(2)").getAttribute("aria-sort")`)
	is("5", `document.querySelector("#students tbody tr td:nth-child(2)").textContent`)
	do(chromedp.Click(chromedp.CSS("#students th:nth-child(2) button")))
	is("8", `document.querySelector("#students tbody tr").dataset.student`) // who handed in nothing is last, so first
	do(chromedp.Click(chromedp.CSS("#students th:nth-child(1) button")))
	is(true, `(() => { const names = [...document.querySelectorAll("#students tbody td:first-child")].map((c) => c.dataset.value); return names.every((n, i) => !i || names[i-1].localeCompare(n) <= 0) })()`)

	filter("notgraded")
	is(1, shown)
	is("1 of 40 shown", `document.getElementById("shown").textContent`)
	filter("")
	do(chromedp.KeyEvent("/"))
	is("search", `document.activeElement.id`)
	// The driver's key types its letter even where the page has said no; a person's does not.
	is("", `document.activeElement.value = ""`)
	do(chromedp.KeyEvent("zombie 1003"))
	is(1, shown)
	do(chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent("j"), chromedp.KeyEvent(kb.Enter))
	do(chromedp.WaitVisible(chromedp.CSS("#student-3 h2")))
	is("#student-3", `location.hash`)
	is(false, `document.getElementById("student-3").hidden`)
	is(true, `document.getElementById("overview").hidden`)
	do(chromedp.Click(chromedp.CSS("#student-3 .finding summary")), chromedp.WaitVisible(chromedp.CSS("#student-3 .finding pre")))
	is(true, `document.querySelector("#student-3 .finding pre").textContent.includes("at 01-spawn/spawn.go:31")`)
	shoot("student-1280")
	do(chromedp.KeyEvent(kb.Escape))
	do(chromedp.WaitVisible(chromedp.CSS("#students")))
	is("Student V03", `document.activeElement.textContent`) // back where one was

	chromed()
	shoot("class-1280")
	do(chromedp.EmulateViewport(390, 844))
	is(true, `document.documentElement.scrollWidth <= 390`)
	shoot("class-390")
	is("#student-3", `location.hash = "#student-3"`)
	do(chromedp.WaitVisible(chromedp.CSS("#student-3 h2")))
	is(true, `document.documentElement.scrollWidth <= 390`)
	shoot("student-390")
	is("Parallel programming, autumn · prokata", `document.title`)

	is(nil, `console.log("the end")`)
	for message, err := range console {
		require.NoError(t, err)
		if message.Text == "the end" {
			break
		}
		t.Errorf("on the console: %s: %s", message.Type, message.Text)
	}
}
