package harness

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/judge/report"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/tree/run"
)

// supervise is the part of the test binary that was started by "go test" or an
// editor. It returns the exit code.
func supervise(m *testing.M) int {
	flag.Parse()
	asked := given()
	if asked.nothing {
		return m.Run() // nothing to watch
	}
	quickExit()
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, "harness:", strings.Join(report.Lines(err.Error()), "\n    "))
		return 3
	}
	dir, err := os.Getwd()
	if err != nil {
		return fail(err)
	}
	k, err := kata.Load(dir)
	if err != nil {
		return fail(err)
	}
	self, err := os.Executable()
	if err != nil {
		return fail(err)
	}
	if k, err = withOwn(k, self); err != nil {
		return fail(err)
	}
	tests, err := asked.chosen(k)
	if err != nil {
		return fail(err)
	}
	if len(tests) == 0 {
		asked.count = 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if asked.timeout > 0 {
		var end context.CancelFunc
		ctx, end = context.WithTimeoutCause(ctx, asked.timeout, fmt.Errorf("the tests had not ended after %v (-timeout)", asked.timeout))
		defer end()
	}
	// Without -v nothing is shown before the end: what was found comes first then, and
	// the words of the tests behind it.
	var words bytes.Buffer
	echo := &dumps{to: os.Stdout}
	if !testing.Verbose() {
		echo.to = &words
	}
	tell := sync.OnceFunc(func() {
		echo.close()
		_, _ = words.WriteTo(os.Stdout)
	})
	defer tell()
	var runs []evidence.Run
	for _, args := range asked.processes() {
		r, err := run.Supervise(ctx, run.Job{
			Binary: self, Kata: k, Tests: tests, Source: filepath.Join("katas", k.Folder), Seed: 1, Race: raceEnabled, Echo: echo, WorkDir: dir,
			FailFast: asked.failFast, Asked: &run.Asked{Run: asked.run, Skip: asked.skip, Args: args},
		}, run.Judge{Dead: detect.Dead, Partial: detect.Partial})
		if ctx.Err() != nil {
			return fail(context.Cause(ctx))
		}
		if err != nil {
			return fail(err)
		}
		if r.Fault != "" {
			return fail(errors.New(r.Fault))
		}
		runs = append(runs, r)
	}
	code := verdict(k, runs, tell)
	asked.merge(runs)
	if asked.more && (code == 0 || !asked.failFast) {
		code = max(code, m.Run()) // benchmarks and fuzzing: they come after the tests, and nothing is judged
	}
	return code
}

// verdict prints the findings that the tests themselves cannot see: each in a line before
// the words of the tests, which tell prints, and in full behind them.
func verdict(k kata.Kata, runs []evidence.Run, tell func()) int {
	v := grade.Judge(k, runs)
	for _, f := range detect.Causes(v.Findings) {
		if f.File != "" && !testing.Verbose() {
			fmt.Printf("%s:%d: %s: %s\n", report.Printable(f.File), f.Line, f.Code, report.Printable(f.Message))
		}
	}
	tell()
	bad, unjudged := false, false
	for _, r := range runs {
		// A test beside the kata's own may have failed. One that was ended is judged below.
		ended := slices.ContainsFunc(r.Tests, func(t evidence.Test) bool { return t.Status == evidence.Aborted })
		bad = bad || r.Exit != "exit status 0" && !ended
	}
	for _, t := range v.Tests {
		if t.Verdict == grade.NotJudged {
			fmt.Printf("%s was not judged: %s\n", t.Name, report.Printable(t.Why))
			unjudged = true
		}
		bad = bad || t.Verdict == grade.Fail || t.Verdict == grade.NotStarted || t.Verdict == grade.Flaky
	}
	var own []string
	for _, r := range runs {
		for _, t := range r.Tests {
			if t.Group == string(kata.Own) && !slices.Contains(own, t.Name) {
				own = append(own, t.Name)
			}
		}
	}
	if len(own) > 0 {
		fmt.Printf("your own, not the kata's, and no part of a check: %s\n", strings.Join(own, ", "))
	}
	ended := map[string]bool{} // its words may be lost with its process
	for _, r := range runs {
		for _, t := range r.Tests {
			ended[t.Name] = ended[t.Name] || t.Status == evidence.Aborted
		}
	}
	var shown []detect.Finding
	for _, f := range v.Findings {
		said := f.Code == "wrong" && !ended[f.Test] && !slices.ContainsFunc(v.Findings, func(g detect.Finding) bool {
			return g.Test == f.Test && g.Follows == f.Code
		})
		if !said { // else the test has said it above
			shown = append(shown, f)
		}
	}
	if v.Findings = shown; len(shown) > 0 {
		report.Text{W: os.Stdout, Verbose: testing.Verbose()}.Findings(v)
	}
	if bad || len(shown) > 0 {
		return 1
	}
	if unjudged {
		return 3
	}
	return 0
}

// quickExit sees to it that this process does not sleep for a second at its end,
// as every process built with the race detector does unless GORACE says otherwise
// at its start.
func quickExit() {
	if !raceEnabled || strings.Contains(os.Getenv("GORACE"), "atexit_sleep_ms") {
		return
	}
	if self, err := os.Executable(); err == nil {
		env := append(os.Environ(), "GORACE="+strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0"))
		_ = syscall.Exec(self, os.Args, env) // if it fails, the end comes a second later
	}
}
