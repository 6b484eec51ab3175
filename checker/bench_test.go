package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prokata/checker/internal/judge/report"
	"prokata/checker/internal/prove/steps"
	"prokata/checker/internal/source/kata"
)

// A learnt is what a benchmark of a learner's commands works with: a checker of its own,
// and a folder for what passes that nobody else uses.
type learnt struct {
	b             *testing.B
	root, checker string
	env           []string
}

func newLearnt(b *testing.B) learnt {
	root, err := filepath.Abs("..")
	require.NoError(b, err)
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	require.NoError(b, err)
	l := learnt{
		b: b, root: root, checker: filepath.Join(b.TempDir(), "checker"),
		env: append(os.Environ(), "XDG_CACHE_HOME="+b.TempDir(), "GOCACHE="+strings.TrimSpace(string(cache))),
	}
	l.run(0, nil, "go", "build", "-o", l.checker, "./checker")
	return l
}

// run runs a command in the repository, which must end with the status, and returns how
// long it took and what it printed.
func (l learnt) run(status int, env []string, name string, args ...string) (time.Duration, []byte) {
	l.b.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = l.root, append(slices.Clone(l.env), env...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	start := time.Now()
	out, err := cmd.Output()
	took := time.Since(start)
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != status {
		l.b.Fatalf("%s %q: %v\n%s%s", name, args, err, out, errs.Bytes())
	}
	return took, out
}

// BenchmarkCheck measures what a learner waits for after a save: "checker check" of a
// program that fails the first step, of one that fails the fifth, and of one that passes,
// against plain "go test" of the one that passes, with and without -race, with the same
// tests and the supervision off. All take turns; the figures are medians.
//
//	*-by-race    of go test -race: at most 0.04, 0.07, 0.17
//	*-by-plain   of go test: at most 0.5, 0.8, 2.0
//	supervisor-% the supervisor's processor time by that of what it watches; at most 5
func BenchmarkCheck(b *testing.B) {
	l := newLearnt(b)
	k, err := kata.Load(filepath.Join(l.root, "katas", "01-spawn"))
	require.NoError(b, err)
	sources, err := steps.Sources(l.root, k)
	require.NoError(b, err)
	dir := b.TempDir()
	source := filepath.Join(dir, "spawn.go")
	saves := 0
	save := func(text []byte) { // each is another source: nothing of it is cached
		saves++
		require.NoError(b, os.WriteFile(source, fmt.Appendf(bytes.Clone(text), "\nvar _ = %d\n", saves), 0o600))
	}
	overlay := filepath.Join(dir, "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(k.Dir, "spawn.go"): source}})
	require.NoError(b, err)
	require.NoError(b, os.WriteFile(overlay, text, 0o600))

	solution := sources[len(sources)-1]["spawn.go"]
	first := bytes.Replace(sources[1]["spawn.go"], []byte("= g.Out, os.Stderr"), []byte("= os.Stderr, os.Stderr"), 1)
	programs := []struct {
		name   string
		text   []byte
		status int
		says   string
	}{
		{"step1", first, 1, "step 1 of"},
		{"step5", sources[4]["spawn.go"], 1, "step 5 of"},
		{"pass", solution, 0, "pass"},
	}
	gotest := func(race ...string) time.Duration {
		save(solution)
		took, _ := l.run(0, []string{"PROKATA_HARNESS=off", "GORACE="}, "go", append(append([]string{"test", "-count=1", "-overlay=" + overlay}, race...), "./katas/01-spawn")...)
		return took
	}
	took := map[string][]time.Duration{}
	var supervisor, watched float64
	turn := func() {
		for _, p := range programs {
			save(p.text)
			t, out := l.run(p.status, nil, l.checker, "check", "spawn", "--from", dir)
			require.Contains(b, string(out), p.says)
			took[p.name] = append(took[p.name], t)
		}
		took["go-test-race"] = append(took["go-test-race"], gotest("-race"))
		took["go-test"] = append(took["go-test"], gotest())
		var d report.Document
		save(solution)
		_, out := l.run(0, nil, l.checker, "check", "spawn", "--from", dir, "--json")
		require.NoError(b, json.Unmarshal(out, &d))
		supervisor += d.Katas[0].Cost.Supervisor
		watched += d.Katas[0].Cost.Watched
	}
	turn() // all caches are warm from here on
	clear(took)
	supervisor, watched = 0, 0
	for b.Loop() {
		turn()
	}
	for _, p := range programs {
		b.ReportMetric(median(took[p.name]).Seconds(), p.name+"-s")
		b.ReportMetric(median(took[p.name]).Seconds()/median(took["go-test-race"]).Seconds(), p.name+"-by-race")
		b.ReportMetric(median(took[p.name]).Seconds()/median(took["go-test"]).Seconds(), p.name+"-by-plain")
	}
	b.ReportMetric(median(took["go-test-race"]).Seconds(), "go-test-race-s")
	b.ReportMetric(median(took["go-test"]).Seconds(), "go-test-s")
	b.ReportMetric(100*supervisor/watched, "supervisor-%")
}

// BenchmarkUnchanged measures a check of all katas that have passed and have not changed
// since: at most a second.
func BenchmarkUnchanged(b *testing.B) {
	l := newLearnt(b)
	l.run(0, nil, l.checker, "check", "--from", "solutions")
	var took []time.Duration
	for b.Loop() {
		t, out := l.run(0, nil, l.checker, "check", "--from", "solutions")
		require.Contains(b, string(out), "not run again")
		took = append(took, t)
	}
	b.ReportMetric(median(took).Seconds(), "unchanged-s")
}

// BenchmarkCold measures a fresh clone on a machine with an empty build cache: the build
// of the checker, the first answer about a stub and about all of them, about a first
// program that is wrong, and about one that passes.
func BenchmarkCold(b *testing.B) {
	for b.Loop() {
		l := newLearnt(b)
		l.env = append(l.env, "GOCACHE="+b.TempDir())
		dir := b.TempDir()
		wrong, err := os.ReadFile(filepath.Join(l.root, "katas", "01-spawn", "spawn.go"))
		require.NoError(b, err)
		require.NoError(b, os.WriteFile(filepath.Join(dir, "spawn.go"), append(wrong, "\nvar _ = 1\n"...), 0o600))
		for _, part := range []struct {
			name   string
			status int
			args   []string
		}{
			{"build", 0, []string{"go", "build", "-o", l.checker, "./checker"}},
			{"stub", 1, []string{l.checker, "check", "spawn"}},
			{"stubs", 1, []string{l.checker, "check"}},
			{"changed", 1, []string{l.checker, "check", "spawn", "--from", dir}},
			{"pass", 0, []string{l.checker, "check", "spawn", "--from", "solutions"}},
		} {
			took, _ := l.run(part.status, nil, part.args[0], part.args[1:]...)
			b.ReportMetric(took.Seconds(), part.name+"-s")
		}
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
