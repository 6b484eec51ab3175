//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/check"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/tree/box"
)

// TestSandbox: in the sandbox a program does all that a kata asks and reaches nothing else;
// one that eats what no process has is ended by the kernel, for which it is blamed.
func TestSandbox(t *testing.T) {
	root, err := kata.Root(".")
	require.NoError(t, err)
	k, err := kata.Load(filepath.Join(root, "katas", "01-spawn"))
	require.NoError(t, err)
	k.Tests = slices.DeleteFunc(k.Tests, func(t kata.Test) bool { return t.Name != "TestHello" })
	k.Limits = kata.Limits{Seconds: 20, Processes: 30, MemoryMiB: 600, OutputMiB: 4}
	solution, err := os.ReadFile(filepath.Join(root, "solutions", "01-spawn", "spawn.go"))
	require.NoError(t, err)
	const hook = "func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {\n"
	require.Contains(t, string(solution), hook)
	sandbox, err := check.NewSandbox(boxed(), true)
	require.NoError(t, err)
	found := sandbox.Found
	if err := box.Enough(found); err != nil {
		t.Skipf("not checked here: %v", err)
	}
	// Files that no folder holds, and that nobody has mapped.
	const hoard = `
	for held := []int{}; ; {
		fd, err := unix.MemfdCreate("held", 0)
		if err != nil { panic(err) }
		held = append(held, fd)
		b := make([]byte, 1<<20)
		for range 50 { if _, err := unix.Write(fd, b); err != nil { panic(err) } }
	}
`
	for _, row := range []struct {
		name, run string
		verdict   grade.Verdict
		limit     string // for which the test is ended
	}{
		{name: "reaches for what is not there", verdict: grade.Pass, run: fmt.Sprintf(`
	for _, path := range []string{%q, %q, "/root", "/home", "/usr/local/go"} {
		if _, err := os.Stat(path); err == nil { panic("escaped: " + path) }
	}
	if err := os.WriteFile("/kata/x", nil, 0o600); err == nil { panic("escaped: it wrote beside its program") }
	if err := syscall.Kill(os.Getppid(), 0); err == nil { panic("escaped: it may kill its supervisor") }
`, root, filepath.Join(root, "solutions", "01-spawn", "spawn.go"))},
		{name: "eats what no process has", verdict: grade.Fail, limit: "memory", run: hoard},
		// Where no control group counts, the supervisor does.
		{name: "eats it, and no group counts", verdict: grade.Fail, limit: "memory", run: hoard},
	} {
		t.Run(row.name, func(t *testing.T) {
			sandbox := *sandbox
			if strings.Contains(row.name, "no group") {
				sandbox.Found.Layers = slices.Clone(found.Layers)
				i := slices.IndexFunc(sandbox.Found.Layers, func(l evidence.Layer) bool { return l.Name == box.Memory })
				sandbox.Found.Layers[i].OK = false
			}
			dir := t.TempDir()
			src := strings.Replace(string(solution), hook, hook+row.run+"\n", 1)
			src = strings.Replace(src, "import (\n", "import (\n\t\"golang.org/x/sys/unix\"\n", 1) + "\nvar _ = unix.Getpid\n"
			require.NoError(t, os.WriteFile(filepath.Join(dir, "spawn.go"), []byte(src), 0o600))
			var saw []evidence.Run
			verdicts, err := check.Katas(t.Context(), []kata.Kata{k}, check.Options{
				Root: root, From: dir, Supervisor: supervisor(), Sandbox: &sandbox,
				Saw: func(r evidence.Run, _ int) error { saw = append(saw, r); return nil },
			})
			require.NoError(t, err)
			v := verdicts[0]
			assert.Equal(t, row.verdict, v.Verdict, "%s %+v", v.Why, v.Findings)
			require.Len(t, saw, 1)
			require.NotNil(t, saw[0].Sandbox, "the evidence does not say what it ran in")
			assert.Equal(t, found.Tier, saw[0].Sandbox.Tier)
			assert.Equal(t, found.Tier, v.Sandbox)
			if row.limit != "" {
				require.NotNil(t, saw[0].Tests[0].Limit, "%+v", v.Findings)
				assert.Equal(t, row.limit, saw[0].Tests[0].Limit.Kind)
			}
		})
	}
}
