package harness

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
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
	for _, name := range []string{"test.list", "test.bench", "test.fuzz"} {
		if flag.Lookup(name).Value.String() != "" {
			return m.Run() // nothing to watch
		}
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
	job := run.Job{
		Binary: self, Kata: k, Source: filepath.Join("katas", k.Folder), Seed: 1, Echo: os.Stdout, WorkDir: dir,
	}
	job.Tests, err = chosen(k, flag.Lookup("test.run").Value.String(), flag.Lookup("test.skip").Value.String())
	if err != nil {
		return fail(err)
	}
	if len(job.Tests) == 0 {
		fmt.Println("no tests to run")
		return 0
	}
	for _, arg := range os.Args[1:] {
		switch name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "="); name {
		case "test.timeout", "test.run", "test.skip", "test.count":
		default:
			job.Args = append(job.Args, arg)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := run.Supervise(ctx, job, run.Judge{Dead: detect.Dead, Partial: detect.Partial})
	if err != nil {
		return fail(err)
	}
	return verdict(k, r)
}

// verdict prints the findings that the tests themselves cannot see.
func verdict(k kata.Kata, r evidence.Run) int {
	v := grade.Judge(k, []evidence.Run{r})
	bad, unjudged := false, false
	for _, t := range v.Tests {
		if t.Verdict == grade.NotJudged {
			fmt.Printf("%s was not judged: %s\n", t.Name, report.Printable(t.Why))
			unjudged = true
		}
		bad = bad || t.Verdict == grade.Fail || t.Verdict == grade.NotStarted
	}
	var own []string
	for _, t := range r.Tests {
		if t.Group == string(kata.Own) {
			own = append(own, t.Name)
		}
	}
	if len(own) > 0 {
		fmt.Printf("your own, not the kata's, and no part of a check: %s\n", strings.Join(own, ", "))
	}
	ended := map[string]bool{} // its words may be lost with its process
	for _, t := range r.Tests {
		ended[t.Name] = t.Status == evidence.Aborted
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

// chosen returns the tests of the kata that -run and -skip choose: the parts
// before the first slash, as in package testing.
func chosen(k kata.Kata, pattern, skip string) ([]string, error) {
	pattern, _, _ = strings.Cut(pattern, "/")
	yes, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("-test.run: %w", err)
	}
	no, err := regexp.Compile(skip)
	if err != nil {
		return nil, fmt.Errorf("-test.skip: %w", err)
	}
	var names []string
	for _, t := range k.Tests {
		if yes.MatchString(t.Name) && (skip == "" || !no.MatchString(t.Name)) {
			names = append(names, t.Name)
		}
	}
	return names, nil
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
