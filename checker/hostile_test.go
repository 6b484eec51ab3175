//go:build linux

package main

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"prokata/checker/internal/check"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/build"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/plan"
	"prokata/checker/internal/tree/observe"
)

// An attack is one folder of testdata/hostile, by the head of its file.
type attack struct {
	name    string
	dir     string
	stopper string // "policy", "harness", "policy, harness", "sandbox (later)"
	want    string // the code that must be found
	test    string // in that test, or of the whole
	points  int    // that it may get, for what it does as the kata asks
}

// TestHostile: no attack gets credit that it does not deserve. What the policy is to
// stop is refused and never runs; what the harness is to stop runs without the policy,
// really, and is found out.
func TestHostile(t *testing.T) {
	root, err := kata.Root(".")
	require.NoError(t, err)
	k, err := kata.Load(filepath.Join(root, "katas", "01-spawn"))
	require.NoError(t, err)
	// A part of the tests is enough to show what becomes of an attack.
	k.Tests = slices.DeleteFunc(k.Tests, func(t kata.Test) bool {
		return !slices.Contains([]string{"TestHello", "TestAliveTogether", "TestExitCodes", "TestCancelledBefore", "TestLineAppearsAtOnce"}, t.Name)
	})
	require.Len(t, k.Tests, 5)
	k.Limits = kata.Limits{Seconds: 20, Processes: 300, MemoryMiB: 2048, OutputMiB: 4}
	// A process that escapes its supervisor comes to this one, instead of to process 1.
	require.NoError(t, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	defer func() { assert.NoError(t, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)) }()
	b := build.New(t.TempDir())
	// The parallel rows have ended when this one returns.
	t.Run("attack", func(t *testing.T) {
		for _, a := range attacks(t, root) {
			t.Run(a.name, func(t *testing.T) {
				t.Parallel()
				switch a.stopper {
				case "policy":
					a.refused(t, root, k)
				case "harness":
					a.stopped(t, root, k, b)
				case "policy, harness":
					a.refused(t, root, k)
					a.stopped(t, root, k, b)
				default:
					t.Skip("only a sandbox can stop it")
				}
			})
		}
	})
	left, err := observe.Processes(os.Getpid())
	require.NoError(t, err)
	for _, p := range left {
		t.Errorf("pid %d %q (%s) has outlived its check", p.PID, p.Name, p.State)
	}
}

var (
	stoppedBy = regexp.MustCompile(`(?m)^// Stopped by: (.+)\.$`)
	wanted    = regexp.MustCompile(`(?m)^// want ([a-z-]+)(?: (Test\w+))?$`)
	credited  = regexp.MustCompile(`(?m)^// points ([0-9]+): .+$`)
)

// attacks reads testdata/hostile.
func attacks(t *testing.T, root string) []attack {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "testdata", "hostile", "*", "01-spawn", "spawn.go"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(paths), 42)
	var all []attack
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		a := attack{dir: filepath.Dir(filepath.Dir(path))}
		a.name = filepath.Base(a.dir)
		m := stoppedBy.FindSubmatch(text)
		require.NotNil(t, m, a.name)
		a.stopper = string(m[1])
		require.Contains(t, []string{"policy", "harness", "policy, harness", "sandbox (later)"}, a.stopper, a.name)
		m = wanted.FindSubmatch(text)
		require.NotNil(t, m, a.name)
		a.want, a.test = string(m[1]), cmp.Or(string(m[2]), "TestHello")
		if m := credited.FindSubmatch(text); m != nil {
			a.points, _ = strconv.Atoi(string(m[1]))
		}
		all = append(all, a)
	}
	return all
}

// refused: check --untrusted finds tampering and starts nothing.
func (a attack) refused(t *testing.T, root string, k kata.Kata) {
	t.Helper()
	verdicts, err := check.Katas(t.Context(), []kata.Kata{k}, check.Options{
		Root: root, From: a.dir, Untrusted: true,
		Supervisor: []string{"/nonexistent/supervisor"}, // to start it would be an error of the checker's
		Saw: func(r evidence.Run, _ int) error {
			assert.Zero(t, r.Build, "it was compiled")
			assert.Empty(t, r.Tests, "it was run")
			return nil
		},
	})
	require.NoError(t, err)
	a.want = "tamper"
	a.found(t, verdicts[0])
}

// stopped: the harness and the supervisor alone find it out.
func (a attack) stopped(t *testing.T, root string, k kata.Kata, b *build.Builder) {
	t.Helper()
	p, err := plan.New(root, k, a.dir)
	require.NoError(t, err)
	p.Untrusted = true
	r, err := check.Run(t.Context(), b, p, supervisor())
	require.NoError(t, err)
	assert.Empty(t, r.Fault)
	a.found(t, grade.Judge(k, []evidence.Run{r}))
}

func (a attack) found(t *testing.T, v grade.Kata) {
	t.Helper()
	assert.Equal(t, grade.Fail, v.Verdict, v.Why)
	assert.LessOrEqual(t, v.Score, a.points, "points")
	for _, test := range v.Tests {
		if a.points == 0 {
			assert.NotEqual(t, grade.Pass, test.Verdict, test.Name)
		}
	}
	var codes []string
	for _, f := range v.Findings {
		if !slices.Contains(codes, f.Code) {
			codes = append(codes, f.Code)
		}
	}
	assert.True(t, slices.ContainsFunc(v.Findings, func(f detect.Finding) bool { return f.Code == a.want && (f.Test == "" || f.Test == a.test) }),
		"no %s of the whole or of %s among the findings: %s", a.want, a.test, strings.Join(codes, ", "))
}
