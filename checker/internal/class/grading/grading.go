// Package grading does the jobs of a class, several side by side, until none waits.
package grading

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"prokata/checker/internal/class/store"
	"prokata/checker/internal/judge/grade"
)

// A Judge gives the verdict on a job. An error is the grader's own trouble, or the
// context's.
type Judge func(context.Context, store.Job) (grade.Kata, error)

// lease is how long a job may take until another may have it: far longer than any does,
// whose limits are its kata's.
const lease = time.Hour

// A Progress is told what goes on. Its functions are called one at a time.
type Progress struct {
	Began func(j store.Job)
	Ended func(j store.Job, v grade.Kata, err error)
}

// Run does all jobs that the store wants, so many at once. When the context ends, what
// runs is ended and given back, and the error is the context's; trouble with one job
// stops no other.
func Run(ctx context.Context, s *store.Store, judge Judge, atOnce int, p Progress) error {
	host, _ := os.Hostname()
	var mu sync.Mutex
	tell := func(f func()) {
		mu.Lock()
		defer mu.Unlock()
		f()
	}
	g, ctx := errgroup.WithContext(ctx)
	for i := range max(1, atOnce) {
		owner := fmt.Sprintf("%s %d.%d", host, os.Getpid(), i)
		g.Go(func() error {
			for {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				j, ok, err := s.Lease(owner, time.Now(), lease)
				if err != nil || !ok {
					return err
				}
				tell(func() { p.Began(j) })
				v, err := judged(ctx, judge, j)
				switch {
				case ctx.Err() != nil:
					return errors.Join(ctx.Err(), s.Release(j.Address(), owner))
				case err == nil && v.Verdict == grade.CheckerError:
					err = errors.New(v.Why)
				case err == nil && v.Verdict == grade.NotJudged:
					err = errors.New(v.Why) // a quieter moment may come
				}
				tell(func() { p.Ended(j, v, err) })
				if err != nil {
					err = s.Fail(j.Address(), owner, err.Error())
				} else {
					err = s.Finish(j.Address(), owner, v)
				}
				if err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// judged keeps what goes wrong in one judgement from the others.
func judged(ctx context.Context, judge Judge, j store.Job) (v grade.Kata, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the grader itself crashed: %v", r)
		}
	}()
	return judge(ctx, j)
}
