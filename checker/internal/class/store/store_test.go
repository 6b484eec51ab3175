package store

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/judge/grade"
)

func open(t *testing.T, path string) *Store {
	s, err := Open(path)
	require.NoError(t, err)
	return s
}

func job(text string, change func(*Parts)) Job {
	p := Parts{Kata: "01-spawn", Tests: "t", Checker: "c", Go: "g", Seed: 1, Repeat: 1}
	if change != nil {
		change(&p)
	}
	return NewJob(p, map[string][]byte{"spawn.go": []byte(text)})
}

func TestEachJobIsDoneOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a ?#% class.db")
	s := open(t, path)
	a, b := job("a", nil), job("b", nil)
	require.NoError(t, s.Want([]Job{a, b}))
	now := time.Unix(1000, 0)
	lease := func(owner string) string {
		j, ok, err := s.Lease(owner, now, time.Minute)
		require.NoError(t, err)
		if !ok {
			return ""
		}
		return string(j.Files["spawn.go"])
	}
	assert.Equal(t, "a", lease("1"))
	assert.Equal(t, "b", lease("2"))
	assert.Empty(t, lease("3"), "all are leased")
	require.NoError(t, s.Finish(b.Address(), "2", grade.Kata{Name: "b"}))
	now = now.Add(time.Hour)
	assert.Equal(t, "a", lease("3"), "the lease of 1 has ended")
	require.NoError(t, s.Finish(a.Address(), "1", grade.Kata{Name: "late"}))
	r, err := s.Result(a.Address())
	require.NoError(t, err)
	assert.False(t, r.Done, "1 has no lease any more")

	// The grader is killed: what it had begun is free, what was done stays done.
	require.NoError(t, s.Close())
	s = open(t, path)
	defer func() { assert.NoError(t, s.Close()) }()
	c := job("c", nil)
	require.NoError(t, s.Want([]Job{a, b, c}))
	assert.Equal(t, "c", lease("4"), "what was never begun comes first: a may be what the grader died of")
	assert.Equal(t, "a", lease("4"))
	assert.Empty(t, lease("4"))
	r, err = s.Result(b.Address())
	require.NoError(t, err)
	assert.Equal(t, Result{Done: true, Verdict: grade.Kata{Name: "b"}}, r)

	// What another grading wanted is not done for this one.
	require.NoError(t, s.Want([]Job{b}))
	n, err := s.Waiting()
	require.NoError(t, err)
	assert.Zero(t, n)
}

// Trouble of ours is tried again, then given up, and tried anew by the next grading.
func TestTrouble(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "class.db"))
	defer func() { assert.NoError(t, s.Close()) }()
	a := job("a", nil)
	for range 2 {
		require.NoError(t, s.Want([]Job{a}))
		for i := range patience {
			_, ok, err := s.Lease("1", time.Now(), time.Minute)
			require.NoError(t, err)
			require.True(t, ok, i)
			require.NoError(t, s.Fail(a.Address(), "1", fmt.Sprint("trouble ", i)))
		}
		_, ok, err := s.Lease("1", time.Now(), time.Minute)
		require.NoError(t, err)
		assert.False(t, ok)
		r, err := s.Result(a.Address())
		require.NoError(t, err)
		assert.Equal(t, Result{Trouble: "trouble 2"}, r)
	}
}

// No grade changes without a line that says why.
func TestChanges(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "class.db"))
	defer func() { assert.NoError(t, s.Close()) }()
	first := job("a", nil)
	jobs := []Job{first, job("b", nil), job("a", func(p *Parts) { p.Checker, p.Seed = "new", 2 }), job("a", func(p *Parts) { p.Tests = "new" })}
	require.NoError(t, s.Want(jobs))
	g := func(j Job, outcome string, points float64) []Grade {
		return []Grade{{Student: "ada", Kata: "spawn", Job: j.Address(), Outcome: outcome, Points: points}}
	}
	for _, row := range []struct {
		grades []Grade
		want   []Change
	}{
		{g(first, "failed", 3), nil},
		{g(first, "failed", 3), nil},
		{g(jobs[1], "failed", 3), nil}, // another submission, the same grade
		{g(first, "passed", 29), []Change{{"ada", "spawn", "failed, 3 points", "passed, 29 points", "the submission changed"}}},
		{g(jobs[2], "failed", 2.5), []Change{{"ada", "spawn", "passed, 29 points", "failed, 2.5 points", "the checker changed, the seed changed"}}},
		{g(jobs[3], "passed", 29), []Change{{"ada", "spawn", "failed, 2.5 points", "passed, 29 points", "the kata's tests or limits changed, the checker changed, the seed changed"}}},
		{g(jobs[3], "passed", 20), []Change{{"ada", "spawn", "passed, 29 points", "passed, 20 points", "the rubric changed, or what had kept it from being graded is over"}}},
	} {
		got, err := s.Record(row.grades)
		require.NoError(t, err)
		assert.Equal(t, row.want, got)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "class.db")
	s := open(t, path)
	_, err := Open(path)
	assert.ErrorContains(t, err, "another grader is at work in "+dir)
	require.NoError(t, s.Want([]Job{job("a", nil)}))
	require.NoError(t, s.Close())

	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := 4096; i < len(text); i++ {
		text[i] = 0x5a
	}
	require.NoError(t, os.WriteFile(path, text, 0o600))
	_, err = Open(path)
	assert.ErrorContains(t, err, "move it away")

	require.NoError(t, os.WriteFile(path, []byte("not a database, but long enough to be looked at as one ...................................................."), 0o600))
	_, err = Open(path)
	assert.ErrorContains(t, err, "move it away")

	_, err = Open(filepath.Join(dir, "none", "class.db"))
	assert.ErrorContains(t, err, "no such file")
}

func TestCauses(t *testing.T) {
	a := job("a", nil)
	assert.Empty(t, a.Causes(a.Parts))
	assert.Equal(t, "Go changed", a.Causes(job("a", func(p *Parts) { p.Go = "go2" }).Parts))
}
