// Package solutions_test compares the solutions with the same programs in
// Python.
package solutions_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/require"
)

// TestMain is the entry of the solutions' child processes too.
func TestMain(m *testing.M) {
	if reexec.Init() {
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// python is where the programs are.
const python = "../testdata/python"

// TestPythonGivesTheSame runs each program of testdata/python and compares the
// last line that it prints with the result that its docstring promises, and with
// what the Go solution gives.
func TestPythonGivesTheSame(t *testing.T) {
	programs, err := filepath.Glob(filepath.Join(python, "[0-9][0-9]_*.py"))
	require.NoError(t, err)
	require.Len(t, programs, len(inGo), "each twin in the table inGo needs its program in %s", python)
	for _, path := range programs {
		name := strings.TrimSuffix(filepath.Base(path), ".py")
		t.Run(name, func(t *testing.T) {
			want := promised(t, path)
			t.Run("go", func(t *testing.T) {
				inGo := inGo[name]
				require.NotNil(t, inGo, "%s has no twin in the table inGo", name)
				var got any
				b, err := json.Marshal(inGo(t))
				require.NoError(t, err)
				require.NoError(t, json.Unmarshal(b, &got))
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("the Go solution gave something else than the docstring of %s (-docstring +go):\n%s", path, d)
				}
			})
			t.Run("python", func(t *testing.T) {
				if d := cmp.Diff(want, printed(t, path)); d != "" {
					t.Errorf("%s printed something else than its docstring (-docstring +python):\n%s", path, d)
				}
			})
		})
	}
}

// result finds the promise at the end of a docstring:
//
//	Result: {"squares": [1, 4,
//	         9]}
//	"""
var result = regexp.MustCompile(`(?s)\nResult: (\{.*?\})\s*"""`)

// promised returns the result in the docstring of a program.
func promised(t *testing.T, path string) (v any) {
	t.Helper()
	source, err := os.ReadFile(path)
	require.NoError(t, err)
	m := result.FindSubmatch(source)
	require.NotNil(t, m, "%s has no \"Result: {…}\" at the end of its docstring", path)
	// A backslash is written twice in a docstring.
	text := bytes.ReplaceAll(m[1], []byte(`\\`), []byte(`\`))
	require.NoError(t, json.Unmarshal(text, &v), "the docstring of %s", path)
	return v
}

// printed runs a program and returns the JSON of its last line.
func printed(t *testing.T, path string) (v any) {
	t.Helper()
	out, err := interpreter(t, path).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("%s ended with %v:\n%s", path, err, exit.Stderr)
	}
	require.NoError(t, err)
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	last := lines[len(lines)-1]
	require.NoError(t, json.Unmarshal(last, &v), "the last line of %s was no JSON: %s", path, last)
	return v
}

// interpreter returns a command that runs a program with a Python that is new
// enough, and skips the test where there is none.
func interpreter(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	python3, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("not compared: there is no python3 in PATH")
	}
	version, err := exec.Command(python3, "-c", "import sys; print(*sys.version_info[:2])").Output()
	var major, minor int
	if _, e := fmt.Sscan(string(version), &major, &minor); err != nil || e != nil || major == 3 && minor < 9 {
		t.Skipf("not compared: python3 is older than 3.9, or does not run: %s", bytes.TrimSpace(version))
	}
	return exec.Command(python3, path)
}
