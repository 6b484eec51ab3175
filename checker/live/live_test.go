package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/source/patch"
)

// repository makes one with a kata of one step, whose stub is as it came.
func repository(t *testing.T) string {
	root := t.TempDir()
	write := func(path, text string) {
		path = filepath.Join(root, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	stub, solution := "package a\n\n// TODO: write me.\n", "package a\n\nfunc A() {}\n"
	write("go.mod", "module prokata\n\ngo 1.26\n")
	write("katas/01-a/a.go", stub)
	write("katas/01-a/hints.md", "# Hints\n\n## one\n\n### A nudge\n\nLook about you.\n\n### A direction\n\nGo on.\n\n### Nearly the answer\n\nThere.\n")
	write("katas/01-a/kata.json", `{"number": 1, "name": "a", "title": "A", "teaches": "a", "python": "a", "primitives": ["a"], "files": ["a.go"],
		"limits": {"seconds": 1, "processes": 1, "memory_mib": 1, "output_mib": 1},
		"steps": [{"name": "one", "goal": "It does one thing.", "group": "core", "tests": [{"name": "TestA"}]}]}`)
	write("solutions/01-a/a.go", solution)
	write("testdata/steps/01-a/01-one.patch", string(patch.Make("one", patch.Files{"a.go": []byte(stub)}, patch.Files{"a.go": []byte(solution)})))
	return root
}

// On a real terminal: the first answer, a key, a smaller window, a save by renaming, and
// a signal; the terminal is then as it was, and nobody is left.
func TestOnATerminal(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("not checked on this system: there is no tmux")
	}
	bin := t.TempDir()
	for name, pkg := range map[string]string{"live": ".", "checker": ".."} {
		out, err := exec.Command("go", "build", "-o", filepath.Join(bin, name), pkg).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	root := repository(t)
	socket := filepath.Join(bin, "tmux") // a server of our own
	tmux := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("tmux", append([]string{"-S", socket, "-f", "/dev/null"}, args...)...).CombinedOutput()
		require.NoError(t, err, "tmux %q: %s", args, out)
		return string(out)
	}
	waitFor := func(what string) string {
		t.Helper()
		for range 1200 { // no bound on what is checked: only the end of a test that fails
			if s := tmux("capture-pane", "-p"); strings.Contains(s, what) {
				return s
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatalf("%q does not come to the screen:\n%s", what, tmux("capture-pane", "-p"))
		return ""
	}

	tmux("new-session", "-d", "-x", "80", "-y", "24", "-c", root,
		"stty -g > before; echo $$ > shell; "+filepath.Join(bin, "live")+" 1; echo status $?; stty -g > after; echo over; read line")
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", socket, "kill-server").Run() })
	s := waitFor("→ 1 one (core, 3 points): It does one thing.")
	assert.Contains(t, s, "not started")
	assert.Contains(t, s, "waits for a save")
	tmux("send-keys", "h")
	waitFor("Look about you.")
	tmux("resize-window", "-x", "44", "-y", "12")
	waitFor("more lines: ↓ or space") // it is drawn anew
	tmux("send-keys", "Down")
	waitFor("h tells more")
	tmux("send-keys", "Escape")
	waitFor("not started")

	path := filepath.Join(root, "katas", "01-a", "a.go")
	require.NoError(t, os.WriteFile(path+".new", []byte("package b\n"), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
	waitFor("did not compile")

	shell, err := os.ReadFile(filepath.Join(root, "shell"))
	require.NoError(t, err)
	children, err := exec.Command("ps", "-o", "pid=,comm=", "--ppid", strings.TrimSpace(string(shell))).Output()
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.Fields(string(children))[0])
	require.NoError(t, err, "%s", children)
	live, err := os.FindProcess(pid)
	require.NoError(t, err)
	require.NoError(t, live.Signal(os.Interrupt))
	waitFor("status 130")
	waitFor("over")
	before, err := os.ReadFile(filepath.Join(root, "before"))
	require.NoError(t, err)
	after, err := os.ReadFile(filepath.Join(root, "after"))
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after), "the terminal's settings")
}

// Without a terminal it says so, and what to do instead.
func TestWithoutATerminal(t *testing.T) {
	t.Chdir(repository(t))
	code, err := watch([]string{"a"})
	assert.Equal(t, 2, code)
	assert.ErrorContains(t, err, "make check KATA=a")
	code, err = watch([]string{"b"})
	assert.Equal(t, 2, code)
	assert.ErrorContains(t, err, "there is no kata")
}
