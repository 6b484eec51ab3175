package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prokata/checker/internal/judge/report"
	"prokata/checker/internal/source/kata"
)

// BenchmarkCheck measures what a learner waits for after a change of one line:
// "checker check" against plain "go test -race" on the same source and the same
// tests, with the supervision off and GORACE as it comes. The two take turns.
//
//	ratio          median time of the check by median time of go test; at most 0.6
//	supervisor-%   the supervisor's processor time by that of what it watches; at most 5
func BenchmarkCheck(b *testing.B) {
	root, err := filepath.Abs("..")
	require.NoError(b, err)
	checker := filepath.Join(b.TempDir(), "checker")
	out, err := exec.Command("go", "build", "-o", checker, ".").CombinedOutput()
	require.NoError(b, err, "%s", out)
	k, err := kata.Load(filepath.Join(root, "katas", "01-spawn"))
	require.NoError(b, err)
	solution, err := os.ReadFile(filepath.Join(root, "solutions", "01-spawn", "spawn.go"))
	require.NoError(b, err)
	dir := b.TempDir()
	source := filepath.Join(dir, "spawn.go")
	change := func(n int) { // of one line
		require.NoError(b, os.WriteFile(source, append(bytes.Clone(solution), fmt.Sprintf("\nvar _ = %d\n", n)...), 0o600))
	}
	overlay := filepath.Join(dir, "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(k.Dir, "spawn.go"): source}})
	require.NoError(b, err)
	require.NoError(b, os.WriteFile(overlay, text, 0o600))
	check := func() report.Document {
		var d report.Document
		cmd := exec.Command(checker, "check", "spawn", "--from", dir, "--json")
		cmd.Dir = root
		out, err := cmd.Output()
		require.NoError(b, err, "%s", out)
		require.NoError(b, json.Unmarshal(out, &d))
		return d
	}
	plain := func() {
		cmd := exec.Command("go", "test", "-race", "-count=1", "-overlay="+overlay, "./katas/01-spawn")
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "PROKATA_HARNESS=off", "GORACE=")
		out, err := cmd.CombinedOutput()
		require.NoError(b, err, "%s", out)
	}
	change(-1)
	check() // both caches are warm from here on
	plain()
	var ours, theirs []time.Duration
	var supervisor, watched float64
	for n := 0; b.Loop(); n++ {
		change(2 * n)
		start := time.Now()
		d := check()
		ours = append(ours, time.Since(start))
		supervisor += d.Katas[0].Cost.Supervisor
		watched += d.Katas[0].Cost.Watched
		change(2*n + 1)
		start = time.Now()
		plain()
		theirs = append(theirs, time.Since(start))
	}
	b.ReportMetric(median(ours).Seconds(), "check-s")
	b.ReportMetric(median(theirs).Seconds(), "go-test-s")
	b.ReportMetric(median(ours).Seconds()/median(theirs).Seconds(), "ratio")
	b.ReportMetric(100*supervisor/watched, "supervisor-%")
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
