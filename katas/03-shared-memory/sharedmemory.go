// Package sharedmemory lets several processes count on the same numbers.
//
// In Python, Value("q", 0) and Array("q", 10) live in memory that every child
// process sees, and each brings a lock along. Go has neither, but the system
// has all that they are made of: two processes that map the same open file see
// the same memory (package shm does the mapping), a child inherits open files,
// and the kernel keeps locks on a file, which it takes back when their owner
// dies.
//
// Nothing else is shared. A Go variable, a sync.Mutex, a channel: each process
// has its own, and the race detector sees inside of one process only. In a
// check, package shm watches the plain accesses to its words across processes.
package sharedmemory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"github.com/moby/sys/reexec"

	"prokata/checker/shm"
	"prokata/checker/todo"
)

// The errors that a caller may want to tell apart. They come wrapped in what was
// asked for. ErrRange is what everything returns that is asked for a number or an
// element that there is not, and Create for a segment of fewer than one.
var (
	ErrRange     = errors.New("index out of range")
	ErrLocked    = errors.New("the lock is held")
	ErrNotHeld   = errors.New("the lock is not held by this process")
	ErrOwnerDied = errors.New("the lock's former owner died with it")
)

// A Segment is a row of numbers in memory that several processes share, with
// one lock. A process opens a segment once; its parts may be used by several
// goroutines.
type Segment struct {
	file  *os.File
	words *shm.Memory // the numbers
	lock  *Lock
}

// Create makes a segment of n numbers, all 0, with at least one. There is no
// trace of it in the file system once Create has returned, so nothing is left
// however its processes end. More numbers than the system has room for are an
// error. With an error there is no segment: nil.
func Create(n int) (*Segment, error) {
	// TODO: write me.
	return nil, todo.Err("sharedmemory: Create")
}

// Open returns the segment in the open file f, which another process got from
// File. From then on f belongs to the segment, also if Open returns an error: it
// refuses a file that has no room for a number and a lock, one that is not made
// of whole words, and one that is not open for reading and writing. Then there is
// no segment, nil, and f is closed.
func Open(f *os.File) (*Segment, error) {
	// TODO: write me.
	return nil, todo.Err("sharedmemory: Open")
}

// File returns the open file to hand on to a child, by exec.Cmd.ExtraFiles. It
// still belongs to the segment.
func (s *Segment) File() *os.File { return s.file }

// Len returns the number of numbers.
func (s *Segment) Len() int { return s.words.Len() }

// Close ends the use of the segment by this process. The others go on. If this
// process holds the lock, then for them it is as if it had died.
func (s *Segment) Close() error {
	// TODO: write me.
	return todo.Err("sharedmemory: Segment.Close")
}

// Value returns number i.
func (s *Segment) Value(i int) (Value, error) {
	// TODO: write me.
	return Value{}, todo.Err("sharedmemory: Segment.Value")
}

// Array returns the n numbers from number from on.
func (s *Segment) Array(from, n int) (Array, error) {
	// TODO: write me.
	return Array{}, todo.Err("sharedmemory: Segment.Array")
}

// Lock returns the segment's lock, the same one at each call.
func (s *Segment) Lock() *Lock {
	// TODO: write me.
	_ = todo.Err("sharedmemory: Segment.Lock")
	return nil
}

// A Value is one shared number.
type Value struct {
	words *shm.Memory
	i     int
}

// Get returns the number. Like Set, it is a plain access: two processes that use
// the number at the same time need a lock, unless both only Get.
func (v Value) Get() int64 {
	// TODO: write me.
	_ = todo.Err("sharedmemory: Value.Get")
	return 0
}

// Set changes the number.
func (v Value) Set(x int64) {
	// TODO: write me.
	_ = todo.Err("sharedmemory: Value.Set")
}

// Add adds d in one step, which needs no lock, and returns the new number.
func (v Value) Add(d int64) int64 {
	// TODO: write me.
	_ = todo.Err("sharedmemory: Value.Add")
	return 0
}

// An Array is a row of shared numbers. What is said at Value.Get holds for each
// of them.
type Array struct {
	words   *shm.Memory
	from, n int
}

// Len returns the number of elements.
func (a Array) Len() int { return a.n }

// Get returns element i.
func (a Array) Get(i int) (int64, error) {
	// TODO: write me.
	return 0, todo.Err("sharedmemory: Array.Get")
}

// Set changes element i.
func (a Array) Set(i int, x int64) error {
	// TODO: write me.
	return todo.Err("sharedmemory: Array.Set")
}

// Slice returns the elements from number from up to, but without, number to: the
// same numbers, not a copy of them.
func (a Array) Slice(from, to int) (Array, error) {
	// TODO: write me.
	return Array{}, todo.Err("sharedmemory: Array.Slice")
}

// Values returns a copy of all elements.
func (a Array) Values() []int64 {
	// TODO: write me.
	_ = todo.Err("sharedmemory: Array.Values")
	return nil
}

// A Lock is held by one process at a time, and within that process by one
// goroutine at a time.
type Lock struct {
	// TODO: what it needs.
}

// Acquire waits until it gets the lock, or until the context ends: then it returns
// the context's error, even if the lock is free. Nothing else ends the wait, not
// even that the holder of this lock waits for another one that this process holds:
// it may have goroutines that do not wait. It uses no processor time while it waits.
//
// If the former owner ended without a Release, Acquire returns ErrOwnerDied, to
// this caller alone. The caller then HOLDS the lock, and what the lock guards
// may be half done.
func (l *Lock) Acquire(ctx context.Context) error {
	// TODO: write me.
	return todo.Err("sharedmemory: Lock.Acquire")
}

// TryAcquire gets the lock if it is free, and returns ErrLocked if it is not.
// ErrOwnerDied means the same as for Acquire.
func (l *Lock) TryAcquire() error {
	// TODO: write me.
	return todo.Err("sharedmemory: Lock.TryAcquire")
}

// Release gives the lock back. If this process does not hold it, Release returns
// ErrNotHeld and changes nothing.
func (l *Lock) Release() error {
	// TODO: write me.
	return todo.Err("sharedmemory: Lock.Release")
}

// Do calls f while it holds the lock, and releases the lock also if f returns an
// error, which Do then returns, panics, or ends its goroutine (runtime.Goexit). f is
// told if the lock's former owner died with it; that is no error of Do.
func (l *Lock) Do(ctx context.Context, f func(ownerDied bool) error) (err error) {
	// TODO: write me.
	return todo.Err("sharedmemory: Lock.Do")
}

// A Way is a way to increment a shared counter.
type Way string

// The ways of Count.
const (
	Unlocked Way = "unlocked" // get, add one, set: this is the race
	Locked   Way = "locked"   // the same with the lock held
	Atomic   Way = "atomic"   // one step
)

const (
	countName = "shared-memory-count"
	fillName  = "shared-memory-fill"
)

func init() {
	reexec.Register(countName, child(count))
	reexec.Register(fillName, child(fill))
}

// Count starts that many child processes, each of which increments the same
// Value that many times in the given way, all at the same time: none begins
// before the last one is ready. It waits for all of them and returns what the
// Value then holds.
//
// If the context ends first, Count kills the children, waits for them, and
// returns the context's error. If a child fails, or cannot be started, the others
// end as usual, and Count returns an error. So it does for fewer than one process,
// and for a way that is none of the three.
func Count(ctx context.Context, way Way, processes, increments int) (int64, error) {
	// TODO: make a segment and run children (see below) that count in it.
	return 0, todo.Err("sharedmemory: Count")
}

// count is what a child of Count does: number me, from 0, of so many processes, with
// the args of run.
func count(s *Segment, me, processes int, args []string) error {
	// TODO: write me.
	return todo.Err("sharedmemory: count")
}

// Fill starts that many child processes, which together fill an Array of n
// elements with their squares, so that element i is i*i: the first child takes
// elements 0, processes, 2*processes and so on, the second one those that follow
// them. It waits for all of them and returns a copy of the array. Errors are as
// with Count.
func Fill(ctx context.Context, processes, n int) ([]int64, error) {
	// TODO: make a segment and run children (see below) that fill it.
	return nil, todo.Err("sharedmemory: Fill")
}

// fill is what a child of Fill does.
func fill(s *Segment, me, processes int, args []string) error {
	// TODO: write me.
	return todo.Err("sharedmemory: fill")
}

// run starts the child processes and waits for them. Each opens the segment, and does
// what is registered under the name.
func run(ctx context.Context, s *Segment, processes int, name string, args ...string) error {
	var cmds []*exec.Cmd
	var errs []error
	for me := range processes {
		cmd := exec.Command(reexec.Self())
		cmd.Args = append([]string{name, strconv.Itoa(me), strconv.Itoa(processes)}, args...)
		cmd.Stderr = os.Stderr
		cmd.ExtraFiles = []*os.File{s.File()}
		if err := cmd.Start(); err != nil {
			errs = append(errs, fmt.Errorf("start child %d: %w", me, err))
			break // those that were started end as usual
		}
		cmds = append(cmds, cmd)
	}
	for me, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			errs = append(errs, fmt.Errorf("child %d: %w", me, err))
		}
	}
	return errors.Join(errs...)
}

// child makes the main function of a child process out of what it has to do.
func child(do func(s *Segment, me, processes int, args []string) error) func() {
	return func() {
		if err := childMain(do); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func childMain(do func(s *Segment, me, processes int, args []string) error) error {
	s, err := Open(os.NewFile(3, "segment"))
	if err != nil {
		return err
	}
	me, err1 := strconv.Atoi(os.Args[1])
	processes, err2 := strconv.Atoi(os.Args[2])
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	return errors.Join(do(s, me, processes, os.Args[3:]), s.Close())
}
