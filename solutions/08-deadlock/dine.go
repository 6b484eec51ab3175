package deadlock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/moby/sys/reexec"
)

// InOrder returns the two locks in the one order that all processes agree on:
// that of their paths, whichever way round they were given.
func InOrder(a, b *Lock) (first, second *Lock) {
	if b.path < a.path {
		return b, a
	}
	return a, b
}

// MaxPermits is the greatest number of permits of a Semaphore: as many bytes as
// a pipe takes on every system before a write has to wait.
const MaxPermits = 4096

// A Semaphore admits as many holders at a time as it has permits, in all the
// processes that have its two files.
//
// It is a pipe with one byte in it for each free permit. To acquire is to read a
// byte: the kernel gives each byte to one reader alone, and lets a reader wait
// while there is none. To release is to write one back. Nothing else is needed,
// no lock and no counter. But a byte belongs to nobody: when a process ends with
// a permit, the permit is gone, unlike a lock by flock.
type Semaphore struct {
	r, w *os.File
}

// NewSemaphore makes a semaphore with 1 to MaxPermits permits. With an error there is
// none: nil.
func NewSemaphore(permits int) (*Semaphore, error) {
	if permits < 1 || permits > MaxPermits {
		return nil, fmt.Errorf("semaphore: %d permits: want 1 to %d", permits, MaxPermits)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("semaphore: %w", err)
	}
	w.Write(make([]byte, permits)) // the pipe is empty and takes them all: this neither waits nor fails
	return SemaphoreOf(r, w), nil
}

// SemaphoreOf returns the semaphore with the given files: how a child process
// comes by the semaphore of its parent.
func SemaphoreOf(r, w *os.File) *Semaphore { return &Semaphore{r: r, w: w} }

// Files returns the two files of the semaphore, to be handed to a child process.
func (s *Semaphore) Files() (r, w *os.File) { return s.r, s.w }

// Acquire waits for a permit and takes it. When there is none and nobody is left
// who could release one, it returns an error that wraps io.EOF.
func (s *Semaphore) Acquire() error {
	if _, err := s.r.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("semaphore: acquire: %w", err)
	}
	return nil
}

// Release gives a permit back.
func (s *Semaphore) Release() error {
	if _, err := s.w.Write(make([]byte, 1)); err != nil {
		return fmt.Errorf("semaphore: release: %w", err)
	}
	return nil
}

// Close lets go of the two files in this process, which can then neither acquire
// nor release a permit.
func (s *Semaphore) Close() error { return errors.Join(s.r.Close(), s.w.Close()) }

// A Manner is a way to take two forks without a deadlock.
type Manner int

// The manners. The left fork of seat i is lock i, the right one lock (i+1) mod Seats.
const (
	Ordered  Manner = iota // takes the fork with the lower number first: no circle
	Admitted               // left, then right, with a permit of a semaphore that leaves one philosopher out: no circle
	BackOff                // left, then right if it is free; else puts the left one down and stands back a while: no hold and wait
)

// A Stage is a point in the course of a meal.
type Stage int

// The stages of a meal, in their order.
const (
	Thinking Stage = iota // has neither fork nor permit
	Reaching              // has one fork, is about to take the other
	Refused               // BackOff alone: the other was taken; still has the one, and puts it down next
	Eating                // has both forks
)

// A Moment tells a habit where its philosopher is.
type Moment struct {
	Table Table
	Seat  int // from 0
	Meal  int // from 0
	Stage Stage
	Wait  time.Duration // Refused: how long the philosopher will stand back
}

var habits = map[string]func(Moment) error{}

// Register gives a habit a name: what a philosopher does in the moments of its
// meals. It runs in the philosopher's process. Call it in an init function.
func Register(name string, habit func(Moment) error) { habits[name] = habit }

// A Table is laid for a dinner.
type Table struct {
	Dir    string // the folder of the forks, which are locks at LockPath(Dir, i)
	Seats  int    // at least 2
	Meals  int    // a philosopher; 0 is allowed
	Manner Manner
	Habit  string // a registered name
	Arg    string // for the habit
}

// A Dinner is what was eaten.
type Dinner struct {
	Meals []int // by seat
	Lost  []int // the seats, in order, whose process did not come to its end
}

// Dine seats philosophers, each of them a process, and returns when all of them
// have ended.
//
// At each stage a philosopher calls its habit. An error of the habit spoils that
// one meal, and so does a habit that ends its goroutine (runtime.Goexit): forks and
// permit go back, the meal does not count, and the philosopher goes on with its
// next. A philosopher that dies is lost; the others dine on. Both are reported in
// the error, each in a line of its own, beside a Dinner that is complete: of a
// spoilt meal the line has the numbers of seat and meal and what the habit's error
// says, of a lost philosopher the number of the seat. When ctx ends, the philosophers are killed, and the error wraps
// that of ctx. When one of them cannot be seated, those who are seated already
// are killed too.
func Dine(ctx context.Context, t Table) (Dinner, error) {
	if t.Seats < 2 || t.Meals < 0 {
		return Dinner{}, fmt.Errorf("dine: a table of %d seats, for %d meals", t.Seats, t.Meals)
	}
	if habits[t.Habit] == nil {
		return Dinner{}, fmt.Errorf("dine: habit %q is not registered", t.Habit)
	}
	waiter, err := NewSemaphore(t.Seats - 1) // with one left out, somebody has a free fork beside him
	if err != nil {
		return Dinner{}, err
	}
	defer waiter.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()

	d := Dinner{Meals: make([]int, t.Seats)}
	errs := make([]error, t.Seats) // each goroutine below
	lost := make([]bool, t.Seats)  // has an element
	var dinner sync.WaitGroup      // of its own
	for seat := range t.Seats {
		cmd, reports, err := seatPhilosopher(t, seat, waiter)
		if err != nil {
			stop()
			dinner.Wait()
			return d, err
		}
		dinner.Go(func() {
			defer context.AfterFunc(ctx, func() { cmd.Process.Kill() })()
			d.Meals[seat], errs[seat] = count(seat, reports)
			if err := cmd.Wait(); err != nil {
				lost[seat] = true
				errs[seat] = errors.Join(errs[seat], fmt.Errorf("philosopher %d: %w", seat, err))
				// It may have taken a permit with it, and nobody can tell. One too many does no
				// harm: an empty seat has broken the circle, and the rest need no waiter any more.
				waiter.Release()
			}
		})
	}
	dinner.Wait()
	for seat, l := range lost {
		if l {
			d.Lost = append(d.Lost, seat)
		}
	}
	if err := ctx.Err(); err != nil {
		return d, fmt.Errorf("dine: %w", err)
	}
	return d, errors.Join(errs...)
}

// A course is what a philosopher reports of a meal.
type course struct {
	Meal int
	Err  string `json:",omitempty"`
}

// seatPhilosopher starts the process, and returns the pipe of its reports.
func seatPhilosopher(t Table, seat int, waiter *Semaphore) (*exec.Cmd, *os.File, error) {
	place, _ := json.Marshal(Moment{Table: t, Seat: seat}) // numbers and strings: this cannot fail
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer w.Close() // so that the reports end when the philosopher does
	permitR, permitW := waiter.Files()
	cmd := reexec.Command("philosopher", string(place))
	cmd.ExtraFiles = []*os.File{w, permitR, permitW} // its descriptors 3, 4 and 5
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		r.Close()
		return nil, nil, err
	}
	return cmd, r, nil
}

// count reads the reports of a philosopher to their end.
func count(seat int, reports *os.File) (meals int, err error) {
	defer reports.Close()
	dec := json.NewDecoder(reports)
	for {
		var c course
		if dec.Decode(&c) != nil {
			return meals, err // the end; in the middle of a report, if it was killed there
		}
		if c.Err != "" {
			err = errors.Join(err, fmt.Errorf("philosopher %d, meal %d: %s", seat, c.Meal, c.Err))
			continue
		}
		meals++
	}
}

// A diner is a philosopher in its own process.
type diner struct {
	Moment
	left, right *Lock
	waiter      *Semaphore
}

// philosopher is the life of one of them.
func philosopher() {
	if err := dineAlone(json.NewEncoder(os.NewFile(3, "reports"))); err != nil {
		fmt.Fprintln(os.Stderr, "philosopher:", err)
		os.Exit(1)
	}
}

func dineAlone(reports *json.Encoder) error {
	p := diner{waiter: SemaphoreOf(os.NewFile(4, "permits"), os.NewFile(5, "permits"))}
	if err := json.Unmarshal([]byte(os.Args[1]), &p.Moment); err != nil {
		return err
	}
	var leftErr, rightErr error
	p.left, leftErr = OpenLock(LockPath(p.Table.Dir, p.Seat))
	p.right, rightErr = OpenLock(LockPath(p.Table.Dir, (p.Seat+1)%p.Table.Seats))
	if err := errors.Join(leftErr, rightErr); err != nil {
		return err
	}
	for p.Meal = range p.Table.Meals {
		c := course{Meal: p.Meal}
		if err := apart(p.dine); err != nil {
			c.Err = err.Error()
		}
		if err := reports.Encode(c); err != nil {
			return err
		}
	}
	return nil
}

// apart calls f in a goroutine of its own: there are three ways out of a habit, and
// one of them, runtime.Goexit, takes the goroutine along.
func apart(f func() error) error {
	err := errors.New("the habit ended its goroutine")
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = f()
	}()
	<-done
	return err
}

// at calls the habit.
func (p *diner) at(s Stage, wait time.Duration) error {
	p.Stage, p.Wait = s, wait
	return habits[p.Table.Habit](p.Moment)
}

// dine is one meal.
func (p *diner) dine() error {
	if err := p.at(Thinking, 0); err != nil {
		return err
	}
	first, second := p.left, p.right
	switch p.Table.Manner {
	case Ordered:
		first, second = InOrder(first, second)
	case Admitted:
		if err := p.waiter.Acquire(); err != nil {
			return err
		}
		defer p.waiter.Release() // whatever comes: a permit that is not given back is lost for all
	}
	for try := 0; ; try++ {
		ate, err := p.take(first, second, try)
		if ate || err != nil {
			return err
		}
		time.Sleep(p.Wait)
	}
}

// take takes both forks and eats. It reports false if the second was refused.
// It holds nothing when it returns.
func (p *diner) take(first, second *Lock, try int) (ate bool, err error) {
	if err := first.Acquire(); err != nil {
		return false, err
	}
	defer first.Release()
	if err := p.at(Reaching, 0); err != nil {
		return false, err
	}
	if p.Table.Manner == BackOff {
		if free, err := second.TryAcquire(); err != nil {
			return false, err
		} else if !free {
			return false, p.at(Refused, standBack(try))
		}
	} else if err := second.Acquire(); err != nil {
		return false, err
	}
	defer second.Release()
	return true, p.at(Eating, 0)
}

// standBack says how long to wait before the next try. Two neighbours who wait
// equally long meet again at the same fork, and again, for ever. Chance parts
// them, the sooner the longer the range to choose from: so it doubles.
func standBack(try int) time.Duration {
	return rand.N(time.Millisecond << min(try, 6))
}
