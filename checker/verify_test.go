package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/source/kata"
)

// TestVerifyNames proves that verify sees what it is there to see: in a copy of the
// repository, which is green, one thing is broken at a time, and verify must name the
// place and the next command, and exit with 1.
//
// The copy holds kata event with three of its flaws, and kata tiny, which is what "new
// kata" and "new flaw" make: one test, so that a row costs a second.
func TestVerifyNames(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not checked on this system: what the flaws leave behind")
	}
	base := newCopy(t)
	out, code := base.checker(t, "verify", "--quick")
	require.Zero(t, code, "the copy was not green before anything was broken:\n%s", out)
	require.Contains(t, out, "2 katas, 4 flaws: 4 caught, 0 missed, 0 false alarms, 0 idle tests")
	out, code = base.checker(t, "verify", "tiny")
	require.Zero(t, code, "kata tiny was not green in the full form:\n%s", out)

	const (
		content  = "tiny --quick --only nothing" // no run is needed to see it
		tiny     = "katas/07-tiny/"
		solution = "solutions/07-tiny/tiny.go"
		flaw     = "testdata/flawed/07-tiny/no-child.patch"
		step     = "testdata/steps/07-tiny/01-starts.patch"
		first    = "testdata/flawed/06-event/context-first.patch"
		winsOver = "TestSetEventWinsOverEndedContext"
	)
	for _, row := range []struct {
		name  string
		args  string // of verify
		crack func(c repository)
		place string // at the beginning of the problem's line
		what  string
		next  string
	}{
		{
			name: "the solution does something else", args: "tiny --quick",
			crack: func(c repository) { c.edit(solution, `reexec.Command("tiny-child")`, `reexec.Command("tiny-nobody")`) },
			place: "07-tiny", what: "solutions has a finding: wrong in TestStarts", next: "make check KATA=tiny FROM=solutions SEED=1",
		},
		{
			name: "the solution does not compile", args: "tiny --quick",
			crack: func(c repository) { c.edit(solution, "return cmd.Wait()", "return cmd.Wait(1)") },
			place: "07-tiny", what: "solutions has a finding: build", next: "make check KATA=tiny FROM=solutions SEED=1",
		},
		{
			name: "the solution has another signature", args: content,
			crack: func(c repository) {
				c.edit(solution, "func Run(ctx context.Context) error", "func Run(ctx context.Context) (err error)")
			},
			place: "07-tiny", what: "solutions/07-tiny declares Run otherwise than the stub", next: "make verify KATA=tiny",
		},
		{
			name: "the solution is gone", args: "tiny --quick",
			crack: func(c repository) { c.remove(solution) },
			place: "07-tiny", what: "solutions/07-tiny holds no Go file", next: "make verify KATA=tiny",
		},
		{
			name: "the stub is solved", args: "tiny --quick",
			crack: func(c repository) { c.write(tiny+"tiny.go", c.read(solution)) },
			place: "07-tiny", what: `the stub is "pass", not "not-started"`, next: "make check KATA=tiny VERBOSE=1",
		},
		{
			name: "the stub panics", args: "tiny --quick",
			crack: func(c repository) {
				c.edit(tiny+"tiny.go", `return todo.Err("tiny: Run")`, `panic(todo.Err("tiny: Run"))`)
			},
			place: "07-tiny", what: "the stub ended the test process in TestStarts", next: "make check KATA=tiny VERBOSE=1",
		},
		{
			name: "the stub says nothing to do", args: content,
			crack: func(c repository) { c.write(tiny+"tiny.go", strings.ReplaceAll(c.read(tiny+"tiny.go"), "TODO", "")) },
			place: "07-tiny", what: "katas/07-tiny/tiny.go has no TODO", next: "make verify KATA=tiny",
		},
		{
			name: "a flaw wants what is not there", args: "event --quick --attempts 1 --only context-first",
			crack: func(c repository) {
				c.edit(first, "want wrong "+winsOver, "want wrong "+winsOver+"\nwant zombie "+winsOver)
			},
			place: "06-event/context-first", what: "not found in 1 runs: zombie " + winsOver, next: "make check KATA=event FROM=testdata/flawed/06-event/context-first.patch",
		},
		{
			name: "a flaw wants less than is there", args: "tiny --quick --only no-child",
			crack: func(c repository) { c.edit(flaw, "want fd-leak TestStarts\n", "") },
			place: "07-tiny/no-child", what: "an unexpected finding: fd-leak in TestStarts", next: "make check KATA=tiny FROM=testdata/flawed/07-tiny/no-child.patch",
		},
		{
			name: "a flaw is right at another line", args: "tiny --quick --attempts 1 --only no-child",
			crack: func(c repository) { c.edit(flaw, "return nil", "return nil // want fd-leak") },
			place: "07-tiny/no-child", what: "not found in 1 runs: fd-leak at tiny.go:", next: "make check KATA=tiny FROM=testdata/flawed/07-tiny/no-child.patch",
		},
		{
			name: "a flaw wants nothing", args: content,
			crack: func(c repository) { c.write(flaw, strings.ReplaceAll(c.read(flaw), "want ", "may ")) },
			place: "07-tiny/no-child", what: "nothing is wanted of it", next: "mend the head of testdata/flawed/07-tiny/no-child",
		},
		{
			name: "a flaw wants an unknown code", args: content,
			crack: func(c repository) { c.edit(flaw, "want fd-leak", "want fd-lack") },
			place: "07-tiny/no-child", what: `line 5: there is no finding "fd-lack"`, next: "mend the head of testdata/flawed/07-tiny/no-child",
		},
		{
			name: "a flaw names an unknown test", args: "event --quick --only nothing",
			crack: func(c repository) { c.edit(first, winsOver, "TestNobodyWins") },
			place: "06-event/context-first", what: "it names TestNobodyWins, and the kata has no such test", next: "mend the head of testdata/flawed/06-event/context-first",
		},
		{
			name: "a flaw has no head", args: content,
			crack: func(c repository) { c.edit(flaw, "Why: ", "") },
			place: "07-tiny/no-child", what: `its head must begin with "Flaw: …" and say "Why: …"`, next: "mend the head of testdata/flawed/07-tiny/no-child",
		},
		{
			name: "the solution has changed where a flaw is", args: content,
			crack: func(c repository) { c.edit(solution, "cmd := reexec.Command", "command := reexec.Command") },
			place: "07-tiny/no-child", what: "it does not apply to tiny.go: the lines at its line", next: "bin/checker flaw rebase tiny, or else bin/checker flaw edit tiny no-child",
		},
		{
			name: "a flaw changes nothing", args: content,
			crack: func(c repository) { text, _, _ := strings.Cut(c.read(flaw), "diff --git"); c.write(flaw, text) },
			place: "07-tiny/no-child", what: "it changes nothing of the solution", next: "mend the head of testdata/flawed/07-tiny/no-child",
		},
		{
			name: "kata.json has an unknown field", args: "tiny --quick",
			crack: func(c repository) { c.edit(tiny+"kata.json", `"title":`, `"colour": "red", "title":`) },
			place: "07-tiny", what: `kata.json: unknown field "colour"`, next: "mend katas/07-tiny/kata.json, then make verify",
		},
		{
			name: "kata.json is gone", args: "--quick",
			crack: func(c repository) { c.remove(tiny + "kata.json") },
			place: "07-tiny", what: "kata.json: the file is missing", next: "mend katas/07-tiny/kata.json, then make verify",
		},
		{
			name: "kata.json lacks a test", args: content,
			crack: func(c repository) {
				c.edit(tiny+"tiny_core_test.go", "func TestStarts", "func TestForgotten(t *testing.T) { harness.Test(t) }\n\nfunc TestStarts")
			},
			place: "07-tiny", what: "TestForgotten is not listed in katas/07-tiny/kata.json", next: "make verify KATA=tiny",
		},
		{
			name: "kata.json lists a test that nobody wrote", args: content,
			crack: func(c repository) {
				c.edit(tiny+"kata.json", `{"name": "TestStarts"`, "{\"name\": \"TestDreamt\"},\n    {\"name\": \"TestStarts\"")
			},
			place: "07-tiny", what: "katas/07-tiny/kata.json lists TestDreamt, and no file has it", next: "make verify KATA=tiny",
		},
		{
			name: "a test is not supervised", args: content,
			crack: func(c repository) { c.edit(tiny+"tiny_core_test.go", "harness.Test(t)", "defer harness.Test(t)") },
			place: "07-tiny", what: "TestStarts does not begin with harness.Test(t)", next: "make verify KATA=tiny",
		},
		{
			name: "README.md is gone", args: content,
			crack: func(c repository) { c.remove(tiny + "README.md") },
			place: "07-tiny", what: "katas/07-tiny/README.md is missing or empty", next: "make verify KATA=tiny",
		},
		{
			name: "hints.md is gone", args: content,
			crack: func(c repository) { c.remove(tiny + "hints.md") },
			place: "07-tiny", what: "katas/07-tiny/hints.md is missing or empty", next: "make verify KATA=tiny",
		},
		{
			name: "a step has no witness", args: content,
			crack: func(c repository) { c.remove(step) },
			place: "07-tiny", what: "step starts has no witness: testdata/steps/07-tiny/01-starts.patch is missing", next: "bin/checker steps unpack tiny DIR",
		},
		{
			name: "the steps do not end in the solution", args: content,
			crack: func(c repository) { c.edit(step, "+	return cmd.Wait()", "+	return cmd.Wait() // at last") },
			place: "07-tiny", what: "the last step does not end in the solution: tiny.go differs", next: "bin/checker steps unpack tiny DIR",
		},
		{
			name: "a step asks for nothing", args: "tiny --quick",
			crack: func(c repository) {
				c.edit(tiny+"kata.json", "    }\n  ]", "    },\n    {\"name\": \"again\", \"goal\": \"It goes on.\", \"group\": \"hard\", \"tests\": [{\"name\": \"TestAgain\"}]}\n  ]")
				c.edit(tiny+"tiny_core_test.go", "func TestStarts", "func TestAgain(t *testing.T) { harness.Test(t) }\n\nfunc TestStarts")
				c.write("testdata/steps/07-tiny/02-again.patch", "Step 2, again: It goes on.\n")
			},
			place: "07-tiny", what: "after step starts the next one, again, passes already", next: "bin/checker steps unpack tiny DIR",
		},
		{
			name: "a step is taken with a mistake", args: "tiny --quick",
			crack: func(c repository) {
				c.edit(solution, "defer stop()", "defer stop()\n\t_, _ = exec.LookPath(\"x\")\n\t_, _, _ = os.Pipe()")
				c.edit(solution, `"context"`, "\"context\"\n\t\"os\"\n\t\"os/exec\"")
				c.checker(c.t, "steps", "pack", "tiny", c.dir)
			},
			place: "07-tiny", what: "after step starts there is a finding: fd-leak in TestStarts", next: "bin/checker steps unpack tiny DIR",
		},
		{
			name: "a step has too few hints", args: content,
			crack: func(c repository) { c.edit(tiny+"hints.md", "### A direction\n", "") },
			place: "07-tiny", what: "katas/07-tiny/hints.md: step starts needs three hints, and has 2", next: "make verify KATA=tiny",
		},
		{
			name: "a promise that nothing breaks", args: content,
			crack: func(c repository) {
				c.edit(tiny+"tiny.go", "// Run starts a child process", "// Run is quick. Run starts a child process")
			},
			place: "07-tiny", what: "3 sentences of the contract are broken by no known mistake, more than the 2 of testdata/contract/07-tiny.txt", next: "bin/checker contract tiny",
		},
		{
			name: "a flaw breaks what is not promised", args: content,
			crack: func(c repository) { c.edit(flaw, "Why: ", "breaks: \"Run flies.\"\nWhy: ") },
			place: "07-tiny/no-child", what: `it breaks what the stub does not say: "Run flies."`, next: "bin/checker contract tiny",
		},
		{
			name: "a file is too many", args: content,
			crack: func(c repository) { c.write(tiny+"notes.txt", "buy milk\n") },
			place: "07-tiny", what: "katas/07-tiny/notes.txt does not belong there", next: "make verify KATA=tiny",
		},
		{
			name: "a test catches nothing", args: "tiny",
			crack: func(c repository) { c.remove(flaw) },
			place: "07-tiny", what: "TestStarts is idle: no flaw makes it fail", next: "write a flaw that only this test catches, in testdata/flawed/07-tiny",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := repository{t, t.TempDir()}
			require.NoError(t, os.CopyFS(c.dir, os.DirFS(base.dir)))
			row.crack(c)
			out, code := c.checker(t, append([]string{"verify"}, strings.Fields(row.args)...)...)
			assert.Equal(t, exitFailed, code, "%s", out)
			var problem, next string
			for _, block := range strings.Split(out, "\n    next: ") {
				if problem != "" {
					next, _, _ = strings.Cut(block, "\n")
					break
				}
				line := block[strings.LastIndexByte(block, '\n')+1:]
				if strings.HasPrefix(line, row.place+": ") && strings.Contains(line, row.what) {
					problem = line
				}
			}
			require.NotEmpty(t, problem, "verify did not name it: %s: …%s\n%s", row.place, row.what, out)
			assert.True(t, strings.HasPrefix(next, row.next), "next: %q, not %q\n%s", next, row.next, out)
		})
	}
}

// A repository is a copy of this one, to be broken.
type repository struct {
	t   *testing.T
	dir string
}

// newCopy makes a copy with the checker, kata event and kata tiny.
func newCopy(t *testing.T) repository {
	t.Helper()
	root, err := kata.Root(".")
	require.NoError(t, err)
	c := repository{t, t.TempDir()}
	for _, path := range []string{
		"go.mod", "go.sum", "checker", "katas/06-event", "solutions/06-event", "testdata/flawed/06-event/clear-takes-one.patch",
		"testdata/flawed/06-event/context-first.patch", "testdata/steps/06-event", "testdata/flawed/06-event/missing-is-zero.patch",
	} {
		err := filepath.WalkDir(filepath.Join(root, path), func(from string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(root, from)
			if err != nil || strings.HasPrefix(rel, "checker") && strings.HasSuffix(rel, "_test.go") {
				return err
			}
			b, err := os.ReadFile(from)
			c.write(rel, string(b))
			return err
		})
		require.NoError(t, err)
	}
	c.write("testdata/contract/06-event.txt", "open: 99\n") // most of its flaws are not here
	for _, args := range []string{"new kata tiny", "new flaw tiny no-child"} {
		out, code := c.checker(t, strings.Fields(args)...)
		require.Zero(t, code, "checker %s:\n%s", args, out)
	}
	// An editor that makes the mistake, and says in the head what must be found.
	c.write("edit.sh", `sed -i -e 's/^want wrong TestStarts/want not-processes TestStarts\nwant fd-leak TestStarts/' \
		-e 's/"context"/"context"\n\t"os"/' -e 's/^\tcmd := reexec.Command/\tif _, _, err := os.Pipe(); err == nil {\n\t\treturn nil\n\t}\n&/' "$@"`)
	t.Setenv("VISUAL", "sh "+filepath.Join(c.dir, "edit.sh"))
	out, code := c.checker(t, "flaw", "edit", "tiny", "no-child")
	require.Zero(t, code, "checker flaw edit:\n%s", out)
	require.NoError(t, os.Remove(filepath.Join(c.dir, "edit.sh")))
	return c
}

// checker runs the checker in the copy and returns what it printed.
func (c repository) checker(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Args[0] = "checker" // by this name the test binary is the checker (see TestMain)
	cmd.Dir = c.dir
	b, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(b), exit.ExitCode()
	}
	require.NoError(t, err)
	return string(b), 0
}

func (c repository) read(path string) string {
	c.t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, path))
	require.NoError(c.t, err)
	return string(b)
}

func (c repository) write(path, text string) {
	c.t.Helper()
	path = filepath.Join(c.dir, path)
	require.NoError(c.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(c.t, os.WriteFile(path, []byte(text), 0o644))
}

func (c repository) edit(path, old, text string) {
	c.t.Helper()
	all := c.read(path)
	require.Contains(c.t, all, old, "%s is not as this test knows it", path)
	c.write(path, strings.Replace(all, old, text, 1))
}

func (c repository) remove(path string) {
	c.t.Helper()
	require.NoError(c.t, os.Remove(filepath.Join(c.dir, path)))
}
