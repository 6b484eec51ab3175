package mutate_test

import (
	"bytes"
	"flag"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"prokata/checker/internal/prove/mutate"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func mutants(t *testing.T, path string) []mutate.Mutant {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ms, err := mutate.Mutants(filepath.Base(path), src)
	if err != nil {
		t.Fatal(err)
	}
	return ms
}

// TestGolden: every mutant of the sample, as a person sees it.
func TestGolden(t *testing.T) {
	var got strings.Builder
	for _, m := range mutants(t, "testdata/sample.go") {
		got.WriteString(mutate.Diff(m))
	}
	const golden = "testdata/sample.diff"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s is stale, run go test -update (-want +got):\n%s", golden, diff)
	}
}

// TestOperators: the sample has each of them, and each has a line in the golden
// file.
func TestOperators(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range mutants(t, "testdata/sample.go") {
		seen[m.Operator] = true
	}
	for _, name := range strings.Fields(`drop-wait drop-close drop-unlock drop-lock drop-remove drop-signal drop-call drop-assign drop-send drop-receive drop-go
		drop-defer drop-case swap-locks late-lock early-unlock invert-condition ignore-error drop-error move-bound swap-operator
		shift-number swap-bool other-constant drop-flag one-process return-early loop-once swap-jump in-sequence`) {
		if !seen[name] {
			t.Errorf("no %s", name)
		}
		delete(seen, name)
	}
	for name := range seen {
		t.Errorf("%s is not expected", name)
	}
}

// TestProperties holds for the sample and for every solution.
func TestProperties(t *testing.T) {
	paths, err := filepath.Glob("../../../../solutions/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, "testdata/sample.go") {
		t.Run(path, func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			ids := map[string]bool{}
			ms := mutants(t, path)
			for _, m := range ms {
				if ids[m.ID] {
					t.Errorf("two mutants have the ID %s", m.ID)
				}
				ids[m.ID] = true
				if bytes.Equal(m.Source, src) {
					t.Errorf("%s changes nothing", m.Description)
				}
				if _, err := parser.ParseFile(token.NewFileSet(), path, m.Source, 0); err != nil {
					t.Errorf("%s is no Go: %v", m.Description, err)
				}
			}
			if path != "testdata/sample.go" {
				return // once is enough for what takes time
			}
			// An ID stays when something is put in before it.
			moved := strings.Replace(string(src), "\nfunc ", "\n\nvar before = 1\n\nfunc ", 1)
			again, err := mutate.Mutants(filepath.Base(path), []byte(moved))
			if err != nil {
				t.Fatal(err)
			}
			if len(again) != len(ms) {
				t.Fatalf("%d mutants, and %d after lines were put in", len(ms), len(again))
			}
			for _, m := range again {
				if !ids[m.ID] {
					t.Errorf("%s has the new ID %s", m.Description, m.ID)
				}
			}
		})
	}
}

func TestNoGo(t *testing.T) {
	if _, err := mutate.Mutants("a.go", []byte("package")); err == nil || !strings.HasPrefix(err.Error(), "mutate: a.go:1:") {
		t.Errorf("error %v", err)
	}
}

func TestSpread(t *testing.T) {
	ms := mutants(t, "testdata/sample.go")
	some := mutate.Spread(ms, 30)
	if len(some) != 30 {
		t.Fatalf("%d mutants, want 30", len(some))
	}
	operators, all := map[string]bool{}, map[string]bool{}
	for _, m := range some {
		operators[m.Operator] = true
	}
	for _, m := range ms {
		all[m.Operator] = true
	}
	if len(operators) != len(all) {
		t.Errorf("%d of %d operators in 30 mutants", len(operators), len(all))
	}
	if got := mutate.Spread(ms, len(ms)+1); len(got) != len(ms) {
		t.Errorf("%d of %d mutants when all are asked for", len(got), len(ms))
	}
}

func TestReadEquivalent(t *testing.T) {
	got, err := mutate.ReadEquivalent("# by kata\n\n1f2e3d4c  the kernel closes it at the exit of the child\n")
	if err != nil || len(got) != 1 || got["1f2e3d4c"] != "the kernel closes it at the exit of the child" {
		t.Errorf("got %v, %v", got, err)
	}
	for text, want := range map[string]string{
		"1f2e3d4c\n":               "equivalent mutants: line 1: 1f2e3d4c has no reason",
		"1f2e3d4c a\n1f2e3d4c b\n": "equivalent mutants: line 2: 1f2e3d4c stands there twice",
	} {
		if _, err := mutate.ReadEquivalent(text); err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}
