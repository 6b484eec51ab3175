package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/class/sample"
	"prokata/checker/internal/class/store"
	"prokata/checker/internal/source/kata"
)

var update = flag.Bool("update", false, "write the golden gradebook anew")

// The test binary is also a grader with a quick judge: it is killed in a test below. It
// needs GRADER_CLASS and GRADER_OUT, and writes each job that it begins to GRADER_OUT/log.
func TestMain(m *testing.M) {
	if out := os.Getenv("GRADER_OUT"); out != "" {
		if err := killable(os.Getenv("GRADER_CLASS"), out); err != nil && !errors.Is(err, errOpen) {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// repository is the repository and the katas of the sample class.
func repository() (root string, katas []kata.Kata, err error) {
	if root, err = kata.Root("."); err != nil {
		return "", nil, err
	}
	all, err := kata.All(root)
	if err != nil {
		return "", nil, err
	}
	katas, err = kata.Select(all, []string{"spawn", "pool"})
	return root, katas, err
}

// ask is the call that grades a class with a fake judge. Scratch is for the known
// mistakes; without it the fake knows none of them.
func ask(class, out, scratch string) (asked, *fake, error) {
	root, katas, err := repository()
	if err != nil {
		return asked{}, nil, err
	}
	f, err := newFake(root, katas, scratch)
	if err != nil {
		return asked{}, nil, err
	}
	return asked{
		class: class, out: out, roster: filepath.Join(root, "testdata", "class", "canvas.csv"), repeat: 1, seed: 1, jobs: 3,
		checker: os.Args[0], judges: f.by,
	}, f, nil
}

func killable(class, out string) error {
	a, f, err := ask(class, out, "")
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(out, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	f.begun = func(j store.Job) {
		fmt.Fprintln(log, j.Address())
		time.Sleep(10 * time.Millisecond) // it takes a while
	}
	return a.grade(context.Background())
}

func makeClass(t *testing.T) string {
	root, _, err := repository()
	require.NoError(t, err)
	list, err := os.ReadFile(filepath.Join(root, "testdata", "class", "class.txt"))
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "class")
	require.NoError(t, sample.Make(root, string(list), dir))
	return dir
}

func text(t *testing.T, path string) string {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

// golden holds a text against a file of testdata/class.
func golden(t *testing.T, name, got string) {
	path := filepath.Join("..", "..", "testdata", "class", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	if diff := cmp.Diff(text(t, path), got); diff != "" {
		t.Errorf("%s is another (-golden +now; go test ./checker/grader -update writes it anew):\n%s", name, diff)
	}
}

// TestSampleClass grades the sample class. None of its attacks changes the row of another,
// none stops the class, and nothing that was handed in is dropped.
func TestSampleClass(t *testing.T) {
	out := t.TempDir()
	a, _, err := ask(makeClass(t), out, t.TempDir())
	require.NoError(t, err)
	require.ErrorIs(t, a.grade(t.Context()), errOpen, "some of it needs a teacher's eye")
	golden(t, "gradebook.csv", text(t, filepath.Join(out, "gradebook.csv")))
	golden(t, "filled.csv", text(t, filepath.Join(out, "filled-canvas.csv")))
	page := text(t, filepath.Join(out, "report.html"))
	for _, nobodys := range []string{"9999/", "Sam Twin"} {
		assert.Contains(t, page, strings.TrimSuffix(nobodys, "/"))
	}

	// With the attacks away, and with another seed, nobody's row is another.
	rows := strings.SplitAfter(text(t, filepath.Join(out, "gradebook.csv")), "\n")
	honest := rows[:29]
	require.True(t, strings.HasPrefix(rows[29], "1029,"))
	gone, err := filepath.Glob(filepath.Join(a.class, "10[34]*"))
	require.NoError(t, err)
	for _, path := range append(gone, filepath.Join(a.class, "1029")) {
		require.NoError(t, os.RemoveAll(path))
	}
	a.out, a.seed = t.TempDir(), 2
	require.ErrorIs(t, a.grade(t.Context()), errOpen)
	again := strings.SplitAfter(text(t, filepath.Join(a.out, "gradebook.csv")), "\n")
	assert.Equal(t, honest, again[:29])
}

// TestGraderKilled: killed ten times at moments that chance chooses, the grader comes to
// the same gradebook as undisturbed, byte for byte.
func TestGraderKilled(t *testing.T) {
	root, _, err := repository()
	require.NoError(t, err)
	class, quiet, out := t.TempDir(), t.TempDir(), t.TempDir()
	var list strings.Builder
	for i := range 60 { // those whom the roster does not have are told, too
		fmt.Fprintf(&list, "%d.zip: spawn %s, remark by %d\n", 1001+i, []string{"solution", "stub"}[i%2], i)
	}
	require.NoError(t, sample.Make(root, list.String(), class))
	start := func(out string) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "GRADER_CLASS="+class, "GRADER_OUT="+out)
		cmd.Stderr = os.Stderr
		require.NoError(t, cmd.Start())
		return cmd
	}
	begun := func() int {
		b, _ := os.ReadFile(filepath.Join(out, "log"))
		return strings.Count(string(b), "\n")
	}
	require.NoError(t, start(quiet).Wait())
	killed := 0
	for range 10 {
		cmd := start(out)
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for at, over := begun()+rand.IntN(5), false; !over; {
			select {
			case err := <-ended:
				require.NoError(t, err)
				over = true
			case <-time.After(time.Millisecond):
				if _, err := os.Stat(filepath.Join(out, "class.db")); err == nil && begun() >= at {
					_ = cmd.Process.Kill()
					<-ended
					killed++
					over = true
				}
			}
		}
	}
	assert.GreaterOrEqual(t, killed, 8)
	require.NoError(t, start(out).Wait())
	jobs := strings.Count(text(t, filepath.Join(quiet, "log")), "\n")
	assert.LessOrEqual(t, begun(), jobs+3*killed, "only what was under way is done again")
	for _, name := range []string{"gradebook.csv", "filled-canvas.csv", "report.html"} {
		assert.Equal(t, text(t, filepath.Join(quiet, name)), text(t, filepath.Join(out, name)), name)
	}
}

// What is wrong with the call is told, with what to do; and nothing that is there is lost.
func TestBadInput(t *testing.T) {
	class := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(class, "1001.go"), []byte("package spawn\n"), 0o600))
	call, _, err := ask(class, "", "")
	require.NoError(t, err)
	bad := filepath.Join(t.TempDir(), "bad.csv")
	write := func(text string) func(*asked) {
		return func(a *asked) {
			require.NoError(t, os.WriteFile(bad, []byte(text), 0o600))
			a.roster = bad
		}
	}
	for want, change := range map[string]func(*asked){
		"lines 2 and 3 both have \"1\"":         write("name,id\nA,1\nB,1\n"),
		"its first line names no column \"id\"": write("who\nA\n"),
		"read the roster":                       func(a *asked) { a.roster = "none.csv" },
		"none of the 1 submissions in": func(a *asked) {
			a.class = t.TempDir()
			require.NoError(t, os.Mkdir(filepath.Join(a.class, "1001"), 0o700))
		},
		"the class's folder none":          func(a *asked) { a.class = "none" },
		"has no column \"Nothing\"":        func(a *asked) { a.column = "Nothing" },
		"there is no kata \"spam\"":        func(a *asked) { a.katas = []string{"spam"} },
		"--repeat must be at least 1":      func(a *asked) { a.repeat = 0 },
		"the checker's program is missing": func(a *asked) { a.checker = "none" },
		"\"fast\" is none of deadlock-free, leak-f": func(a *asked) {
			require.NoError(t, os.WriteFile(bad, []byte(`{"quality": {"fast": 1}}`), 0o600))
			a.rubric = bad
		},
		"move it away": func(a *asked) {
			require.NoError(t, os.WriteFile(filepath.Join(a.out, "class.db"), []byte(strings.Repeat("no database ", 100)), 0o600))
		},
		"make the folder for what comes out": func(a *asked) {
			require.NoError(t, os.WriteFile(bad, nil, 0o600))
			a.out = filepath.Join(bad, "out")
		},
	} {
		a := call
		a.out = t.TempDir()
		change(&a)
		assert.ErrorContains(t, a.grade(t.Context()), want)
	}
}
