package instrument_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"prokata/checker/internal/source/instrument"
)

// build compiles testdata/NAME, with hooks if there are any, and returns the
// program. A source instead of the file's own may be given.
func build(t *testing.T, name string, hooks instrument.Hooks, src []byte, flags ...string) (program string, output []byte, err error) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name, "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if src == nil {
		if src, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if src, err = instrument.File(path, src, hooks); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replacement := filepath.Join(dir, "replacement.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: replacement}})
	if err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{replacement: src, filepath.Join(dir, "overlay.json"): overlay} {
		if err := os.WriteFile(file, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	program = filepath.Join(dir, name)
	args := append([]string{"build", "-overlay", filepath.Join(dir, "overlay.json"), "-ldflags=-w", "-o", program}, flags...)
	output, err = exec.Command("go", append(args, "./testdata/"+name)...).CombinedOutput()
	return program, output, err
}

func mustBuild(t *testing.T, name string, hooks instrument.Hooks, flags ...string) string {
	t.Helper()
	program, output, err := build(t, name, hooks, nil, flags...)
	if err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	return program
}

// TestSameBehaviour runs a program full of places where hooks could do harm.
func TestSameBehaviour(t *testing.T) {
	run := func(hooks instrument.Hooks, env ...string) string {
		cmd := exec.Command(mustBuild(t, "torture", hooks))
		cmd.Env = append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("run: %v\n%s", err, out)
		}
		return string(out)
	}
	want := run(0)
	if strings.Count(want, "\n") < 14 {
		t.Fatalf("the program itself broke off:\n%s", want)
	}
	record := filepath.Join(t.TempDir(), "sites")
	if err := os.WriteFile(record, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, env := range [][]string{nil, {"PROKATA_PERTURB=7", "PROKATA_SITES=" + record}} {
		if got := run(instrument.Points|instrument.Sites, env...); got != want {
			t.Errorf("with hooks and %v:\n%s\nwithout:\n%s", env, got, want)
		}
	}
}

// TestCompileErrorNamesTheFile: the learner's path and line, not the replacement's.
func TestCompileErrorNamesTheFile(t *testing.T) {
	for name, src := range map[string]string{
		"type":   "package main\n\nimport \"sync\"\n\nfunc main() {\n\tvar mu sync.Mutex\n\tmu.Lock()\n\tmu.Unlock(undefined)\n}\n",
		"syntax": "package main\n\nimport \"sync\"\n\nfunc main() {\n\tvar mu sync.Mutex\n\tmu.Lock()\n\tmu.Unlock(]\n}\n",
		"import": "package main\n\nimport \"fmt\"\n\nfunc main() {\n\n\n\tx := 1\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, output, err := build(t, "racy", instrument.Points|instrument.Sites, []byte(src))
			if err == nil {
				t.Fatal("the broken source was compiled")
			}
			if !regexp.MustCompile(`(?m)^(\S*/)?testdata/racy/main\.go:8:`).Match(output) || bytes.Contains(output, []byte("replacement")) {
				t.Errorf("output does not name the learner's line 8:\n%s", output)
			}
		})
	}
}

// TestRaceStaysVisible: the hooks order nothing for the race detector, and race
// reports and stacks name the learner's lines.
func TestRaceStaysVisible(t *testing.T) {
	if testing.Short() {
		t.Skip("builds with -race")
	}
	program := mustBuild(t, "racy", instrument.Points|instrument.Sites, "-race")
	record := filepath.Join(t.TempDir(), "sites")
	if err := os.WriteFile(record, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	path, _ := filepath.Abs("testdata/racy/main.go")
	for seed := range 5 {
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", fmt.Sprint("PROKATA_PERTURB=", seed), "PROKATA_SITES="+record)
		out, _ := cmd.CombinedOutput() // ends with a panic
		race := regexp.MustCompile(`(?s)WARNING: DATA RACE\n.*?` + regexp.QuoteMeta(path) + `:22 `)
		if n := bytes.Count(out, []byte("WARNING: DATA RACE")); n != 1 && n != 2 || !race.Match(out) {
			t.Errorf("seed %d: want the race on line 22 and no other:\n%s", seed, out)
		}
		if bytes.Contains(out, []byte("checker/perturb")) {
			t.Errorf("seed %d: a hook shows in the report:\n%s", seed, out)
		}
		if !bytes.Contains(out, []byte("\t"+path+":33 ")) {
			t.Errorf("seed %d: the panic's stack does not name line 33:\n%s", seed, out)
		}
	}
}

// TestSites runs a program that opens one thing of each kind; a comment on each
// such line says which.
func TestSites(t *testing.T) {
	program := mustBuild(t, "sites", instrument.Sites)
	record := filepath.Join(t.TempDir(), "sites")
	if err := os.WriteFile(record, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "PROKATA_SITES="+record)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("run: %v\n%s", err, out)
	}
	text, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	sites, err := instrument.ReadSites(string(text))
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile("testdata/sites/main.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(src), "\n")
	seen := map[string]int{}
	for _, s := range sites {
		if !s.Sure {
			t.Errorf("%+v: nothing else ran, yet the site is not sure", s)
		}
		_, comment, _ := strings.Cut(lines[s.Line-1], "// ")
		seen[comment+" "+s.Kind]++
	}
	want := map[string]int{"returned: pipe fd": 2, "file fd": 1, "socket fd": 1, "pair fd": 2, "map map": 1, "child other": 1}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("recorded %v, want %v:\n%s", seen, want, text)
	}
}
