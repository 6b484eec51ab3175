package main

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/check"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/kata"
)

// A program that misbehaves is ended, its mistake is named, and the checker goes on.
// Each stands in the place of what kata 1 starts a child for.
func TestContains(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not checked on this system: what becomes of processes")
	}
	root, err := kata.Root(".")
	require.NoError(t, err)
	k, err := kata.Load(filepath.Join(root, "katas", "01-spawn"))
	require.NoError(t, err)
	// One test is enough, and small limits show what they do sooner.
	k.Tests = slices.DeleteFunc(k.Tests, func(t kata.Test) bool { return t.Name != "TestHello" })
	k.Limits = kata.Limits{Seconds: 5, Processes: 30, MemoryMiB: 600, OutputMiB: 4}
	solution, err := os.ReadFile(filepath.Join(root, "solutions", "01-spawn", "spawn.go"))
	require.NoError(t, err)
	const hook = "func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {\n"
	require.Contains(t, string(solution), hook)
	for _, row := range []struct {
		name, code string // the code that must be found
		run        string // at the beginning of Run, in the test process
		init       string // in an init function
		word       string // in the finding
	}{
		{name: "prints without end", code: "limit", word: "output", run: `for { os.Stdout.WriteString("all work and no play\n") }`},
		{name: "eats memory", code: "limit", word: "memory", run: `var eaten [][]byte; for { b := make([]byte, 1<<24); for i := range b { b[i] = 1 }; eaten = append(eaten, b) }`},
		{name: "starts itself without end", code: "limit", word: "processes", run: `for { exec.Command("sleep", "100").Start() }`},
		{name: "forks a forker", code: "limit", word: "processes", run: `exec.Command("sh", "-c", "f() { f & f; }; f").Run()`},
		{name: "child ignores SIGTERM", code: "orphan", run: `exec.Command("sh", "-c", "trap '' TERM; while :; do sleep 1; done").Start()`},
		{name: "child leaves its session", code: "orphan", run: `exec.Command("setsid", "sleep", "100").Start()`},
		{name: "grandchild leaves its session", code: "orphan", run: `exec.Command("sh", "-c", "setsid sleep 100 &").Run()`},
		{name: "closes all descriptors", code: "crash", run: `for fd := range 1000 { syscall.Close(fd) }; select {}`},
		{name: "kills its process group", code: "crash", run: `syscall.Kill(0, syscall.SIGKILL)`},
		{name: "ends the test process", code: "crash", run: `os.Exit(0)`},
		{name: "ends before the tests", code: "crash", init: `exit := os.Exit; exit(0)`}, // os.Exit by name the policy refuses
		{name: "never comes to its tests", code: "crash", word: "had not come to a test", init: `for {}`},
		{name: "panics", code: "crash", word: "boom", run: `panic("boom")`},
		{name: "waits for the clock", code: "timeout", run: `time.Sleep(time.Hour)`},
		{name: "waits for nobody", code: "deadlock", run: `select {}`},
		{name: "leaves a stopped child", code: "orphan", run: `c := exec.Command("sleep", "100"); c.Start(); c.Process.Signal(syscall.SIGSTOP)`},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			src := strings.Replace(string(solution), hook, hook+row.run+"\n", 1)
			if row.init != "" {
				src += "\nfunc init() { " + row.init + " }\n"
			}
			require.NoError(t, os.WriteFile(filepath.Join(dir, "spawn.go"), []byte(src), 0o600))
			verdicts, err := check.Katas(t.Context(), []kata.Kata{k}, check.Options{Root: root, From: dir, Supervisor: supervisor()})
			require.NoError(t, err)
			v := verdicts[0]
			assert.Equal(t, grade.Fail, v.Verdict, v.Why)
			i := slices.IndexFunc(v.Findings, func(f detect.Finding) bool { return f.Code == row.code })
			require.GreaterOrEqual(t, i, 0, "no %s among the findings: %+v", row.code, v.Findings)
			assert.Contains(t, v.Findings[i].Message+strings.Join(v.Findings[i].Detail, "\n"), row.word)
		})
	}
}
