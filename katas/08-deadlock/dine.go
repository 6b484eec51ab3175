package deadlock

import (
	"context"
	"errors"
	"os"
	"time"

	"prokata/checker/todo"
)

// InOrder returns the two locks in the one order that all processes agree on:
// that of their paths, whichever way round they were given.
func InOrder(a, b *Lock) (first, second *Lock) {
	// TODO: an order that does not depend on who asks
	todo.Err("deadlock: InOrder")
	return nil, nil
}

// MaxPermits is the greatest number of permits of a Semaphore: as many bytes as
// a pipe takes on every system before a write has to wait.
const MaxPermits = 4096

// A Semaphore admits as many holders at a time as it has permits, in all the
// processes that have its two files.
//
// It is a pipe with one byte in it for each free permit.
type Semaphore struct {
	r, w *os.File
}

// NewSemaphore makes a semaphore with 1 to MaxPermits permits.
func NewSemaphore(permits int) (*Semaphore, error) {
	// TODO: put the permits into a pipe
	return nil, todo.Err("deadlock: NewSemaphore")
}

// SemaphoreOf returns the semaphore with the given files: how a child process
// comes by the semaphore of its parent.
func SemaphoreOf(r, w *os.File) *Semaphore { return &Semaphore{r: r, w: w} }

// Files returns the two files of the semaphore, to be handed to a child process.
func (s *Semaphore) Files() (r, w *os.File) { return s.r, s.w }

// Acquire waits for a permit and takes it. When there is none and nobody is left
// who could release one, it returns an error that wraps io.EOF.
func (s *Semaphore) Acquire() error {
	// TODO: take a permit out
	return todo.Err("deadlock: Semaphore.Acquire")
}

// Release gives a permit back.
func (s *Semaphore) Release() error {
	// TODO: put one back
	return todo.Err("deadlock: Semaphore.Release")
}

// Close lets go of the two files in this process.
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
	Meals  int    // a philosopher
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
// one meal: forks and permit go back, the meal does not count, and the
// philosopher goes on with its next. A philosopher that dies is lost; the others
// dine on. Both are reported in the error, by seat, beside a Dinner that is
// complete. When ctx ends, the philosophers are killed, and the error wraps
// that of ctx.
func Dine(ctx context.Context, t Table) (Dinner, error) {
	// TODO: start the philosophers, count what they eat, and wait for them
	return Dinner{}, todo.Err("deadlock: Dine")
}

// philosopher is the life of one of them.
func philosopher() {
	// TODO: eat, meal by meal, in the manner of the table
	todo.Err("deadlock: philosopher")
	os.Exit(1)
}
