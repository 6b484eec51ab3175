package mutate_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"prokata/checker/internal/prove/mutate"
)

// TestCombine: chosen by its number, each mutant does what it does by itself, which
// the golden file holds (-update builds and runs each one by itself), and number 0
// does what the original does. Lines without output are of mutants that do not
// compile.
func TestCombine(t *testing.T) {
	const name, golden = "testdata/program/main.go", "testdata/program/outputs.txt"
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	all := append([]mutate.Mutant{{ID: "00000000", Description: "the original", Source: src}}, mutants(t, name)...)
	title := func(m mutate.Mutant) string {
		return fmt.Sprintf("%s %s %s: %s", m.ID, m.Operator, m.Func, m.Description)
	}
	if *update {
		var b strings.Builder
		for _, m := range all {
			fmt.Fprintf(&b, "%s\t%s\n", title(m), output(build(t, map[string]string{"main.go": string(m.Source)}), 0))
		}
		if err := os.WriteFile(golden, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(b)) {
		title, out, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		want[title] = out
	}
	var good []mutate.Mutant
	var numbers []int
	for i, m := range all {
		if out, ok := want[title(m)]; !ok {
			t.Errorf("%s has no line for %s, run go test -update", golden, title(m))
		} else if i > 0 && out != "" {
			good, numbers = append(good, m), append(numbers, i)
		}
	}
	combined, err := mutate.Combine(name, src, good, numbers)
	if err != nil {
		t.Fatal(err)
	}
	bin := build(t, map[string]string{"main.go": string(combined), "chosen.go": fmt.Sprintf(`package main

import (
	"os"
	"strconv"
)

var %s, _ = strconv.Atoi(os.Getenv("CHOSEN"))
`, mutate.Variable)})
	if bin == "" {
		t.Fatalf("the combined source does not compile:\n%s", combined)
	}
	for i, m := range all {
		if out := want[title(m)]; out != "" {
			if diff := cmp.Diff(out, output(bin, i)); diff != "" {
				t.Errorf("%s (-alone +combined):\n%s", title(m), diff)
			}
		}
	}
}

// build compiles a program of these files and returns its path; "" if a mutant does
// not compile.
func build(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	args := []string{"build", "-o", filepath.Join(dir, "program")}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
		if !strings.Contains(string(out), "main.go:") {
			t.Fatalf("build a program: %v\n%s", err, out)
		}
		return ""
	}
	return filepath.Join(dir, "program")
}

// output returns what a program prints, in one line, and how it ends.
func output(bin string, number int) string {
	if bin == "" {
		return ""
	}
	cmd := exec.Command(bin)
	cmd.Env = append(os.Environ(), fmt.Sprintf("CHOSEN=%d", number))
	out, err := cmd.CombinedOutput()
	text, _, _ := strings.Cut(string(out), "\ngoroutine ") // addresses and lines follow
	text, _, _ = strings.Cut(text, "\nruntime: ")
	return fmt.Sprintf("%s: %v", strings.Join(strings.Fields(text), " "), err)
}
