package grading

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/class/store"
	"prokata/checker/internal/judge/grade"
)

// The test binary is also a grader whose judge is quick: it is killed in the test below.
func TestMain(m *testing.M) {
	if dir := os.Getenv("GRADE_IN"); dir != "" {
		if err := killable(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const classSize = 60

func jobs() (all []store.Job) {
	for i := range classSize {
		all = append(all, store.NewJob(store.Parts{Kata: "01-spawn", Seed: 1}, map[string][]byte{"spawn.go": fmt.Appendf(nil, "// %d\n", i)}))
	}
	return all
}

// killable grades the class once, and writes down each job that its judge begins.
func killable(dir string) error {
	s, err := store.Open(filepath.Join(dir, "class.db"))
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := s.Want(jobs()); err != nil {
		return err
	}
	judge := func(_ context.Context, j store.Job) (grade.Kata, error) {
		_, err := fmt.Fprintln(log, j.Address())
		time.Sleep(time.Duration(j.Files["spawn.go"][3]%5) * time.Millisecond)
		return verdict(j), err
	}
	if err := Run(context.Background(), s, judge, 3, Progress{func(store.Job) {}, func(store.Job, grade.Kata, error) {}}); err != nil {
		return err
	}
	return s.Close()
}

func verdict(j store.Job) grade.Kata {
	return grade.Kata{Name: "spawn", Score: int(j.Files["spawn.go"][3]), Verdict: grade.Pass}
}

// TestKilled: a grader that is killed ten times, at moments that chance chooses, comes to
// the same as one that is not, and does over again only what it was at when it died.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	begun := func() int {
		text, _ := os.ReadFile(filepath.Join(dir, "log"))
		return strings.Count(string(text), "\n")
	}
	start := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "GRADE_IN="+dir)
		cmd.Stderr = os.Stderr
		require.NoError(t, cmd.Start())
		return cmd
	}
	kills := 0
	for range 10 {
		cmd := start()
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		at := begun() + 1 + rand.IntN(8)
	waiting:
		for {
			select {
			case err := <-ended:
				require.NoError(t, err, "it had done everything before it could be killed")
				break waiting
			default:
			}
			if begun() >= at {
				_ = cmd.Process.Kill()
				<-ended
				kills++
				break waiting
			}
			time.Sleep(time.Millisecond)
		}
	}
	assert.Greater(t, kills, 4)
	require.NoError(t, start().Wait())
	assert.LessOrEqual(t, begun(), classSize+3*kills, "at most three were under way at each death")
	s, err := store.Open(filepath.Join(dir, "class.db"))
	require.NoError(t, err)
	n, err := s.Waiting()
	require.NoError(t, err)
	assert.Zero(t, n)
	for _, j := range jobs() {
		r, err := s.Result(j.Address())
		require.NoError(t, err)
		assert.Equal(t, store.Result{Done: true, Verdict: verdict(j)}, r)
	}
	require.NoError(t, s.Close())
	before := begun()
	require.NoError(t, start().Wait())
	assert.Equal(t, before, begun(), "nothing is done twice")
}

// One job's trouble, and its judge's crash, are that job's alone.
func TestTroubleStopsNoOther(t *testing.T) {
	s, err := store.Open(filepath.Join(t.TempDir(), "class.db"))
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	all := jobs()[:5]
	require.NoError(t, s.Want(all))
	tries := map[string]int{}
	judge := func(_ context.Context, j store.Job) (v grade.Kata, err error) {
		text := string(j.Files["spawn.go"])
		tries[text]++
		switch text {
		case "// 1\n":
			panic("oh")
		case "// 2\n":
			return v, errors.New("no space")
		case "// 3\n":
			return grade.Kata{Verdict: grade.CheckerError, Why: "no compiler"}, nil
		case "// 4\n":
			if tries[text] == 1 {
				return grade.Kata{Verdict: grade.NotJudged, Why: "too slow"}, nil
			}
		}
		return verdict(j), nil
	}
	require.NoError(t, Run(t.Context(), s, judge, 1, Progress{func(store.Job) {}, func(store.Job, grade.Kata, error) {}}))
	for i, want := range []string{"", "the grader itself crashed: oh", "no space", "no compiler", ""} {
		r, err := s.Result(all[i].Address())
		require.NoError(t, err)
		assert.Equal(t, want, r.Trouble)
		assert.Equal(t, want == "", r.Done)
	}
	assert.Equal(t, map[string]int{"// 0\n": 1, "// 1\n": 3, "// 2\n": 3, "// 3\n": 3, "// 4\n": 2}, tries)
}

// Who is interrupted gives back what was begun.
func TestInterrupted(t *testing.T) {
	s, err := store.Open(filepath.Join(t.TempDir(), "class.db"))
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	require.NoError(t, s.Want(jobs()))
	ctx, cancel := context.WithCancel(t.Context())
	judge := func(ctx context.Context, _ store.Job) (grade.Kata, error) {
		cancel()
		<-ctx.Done()
		return grade.Kata{}, ctx.Err()
	}
	err = Run(ctx, s, judge, 3, Progress{func(store.Job) {}, func(store.Job, grade.Kata, error) {}})
	require.ErrorIs(t, err, context.Canceled)
	n, err := s.Waiting()
	require.NoError(t, err)
	assert.Equal(t, classSize, n)
	for range classSize {
		_, ok, err := s.Lease("other", time.Now(), time.Minute)
		require.NoError(t, err)
		assert.True(t, ok)
	}
}
