// Package sharedmemory lets several processes count on the same numbers. This is
// the fast form: its lock is a word in the shared memory itself (lock_linux.go).
// All the rest is as in solutions/03-shared-memory.
package sharedmemory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"

	"github.com/moby/sys/reexec"

	"prokata/checker/shm"
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
	words *shm.Memory // the numbers, then one for the lock
	lock  *Lock
}

// Create makes a segment of n numbers, all 0, with at least one. There is no
// trace of it in the file system once Create has returned, so nothing is left
// however its processes end. More numbers than the system has room for are an
// error. With an error there is no segment: nil.
func Create(n int) (*Segment, error) {
	if n < 1 || int64(n) > maxNumbers {
		return nil, fmt.Errorf("create a segment of %d numbers: %w", n, ErrRange)
	}
	f, err := os.CreateTemp("", "segment-")
	if err != nil {
		return nil, fmt.Errorf("create a segment: %w", err)
	}
	// The file lives on without its name, for as long as somebody has it open.
	// To remove it at the end instead would leave it behind after a kill.
	// What is new in it is zero.
	if err := errors.Join(os.Remove(f.Name()), f.Truncate(int64(n+1)*shm.WordSize)); err != nil {
		f.Close()
		return nil, fmt.Errorf("create a segment: %w", err)
	}
	return Open(f)
}

// maxNumbers is more than a system has room for, and less than an int64 of bytes.
const maxNumbers = 1 << 50

// Open returns the segment in the open file f, which another process got from
// File. From then on f belongs to the segment, also if Open returns an error: it
// refuses a file that has no room for a number and a lock, one that is not made
// of whole words, and one that is not open for reading and writing. Then there is
// no segment, nil, and f is closed.
func Open(f *os.File) (*Segment, error) {
	s, err := open(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open a segment: %w", err)
	}
	return s, nil
}

func open(f *os.File) (*Segment, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	n := info.Size() / shm.WordSize
	if n < 2 || info.Size()%shm.WordSize != 0 {
		return nil, fmt.Errorf("%d bytes are no segment", info.Size())
	}
	words, err := shm.Map(f, int(n))
	if err != nil {
		return nil, err
	}
	l, err := newLock(f, words, int(n)-1)
	if err != nil {
		return nil, errors.Join(err, words.Unmap())
	}
	return &Segment{file: f, words: words, lock: l}, nil
}

// File returns the open file to hand on to a child, by exec.Cmd.ExtraFiles. It
// still belongs to the segment.
func (s *Segment) File() *os.File { return s.file }

// Len returns the number of numbers.
func (s *Segment) Len() int { return s.words.Len() - 1 }

// Close ends the use of the segment by this process. The others go on. If this
// process holds the lock, then for them it is as if it had died.
func (s *Segment) Close() error {
	s.lock.abandon()
	return errors.Join(s.words.Unmap(), s.file.Close())
}

// Value returns number i.
func (s *Segment) Value(i int) (Value, error) {
	if i < 0 || i >= s.Len() {
		return Value{}, fmt.Errorf("value %d of %d: %w", i, s.Len(), ErrRange)
	}
	return Value{words: s.words, i: i}, nil
}

// Array returns the n numbers from number from on.
func (s *Segment) Array(from, n int) (Array, error) {
	// Where from+n is too large for an int, it is negative, which Slice refuses.
	return Array{words: s.words, n: s.Len()}.Slice(from, from+n)
}

// Lock returns the segment's lock, the same one at each call.
func (s *Segment) Lock() *Lock { return s.lock }

// A Value is one shared number.
type Value struct {
	words *shm.Memory
	i     int
}

// Get returns the number. Like Set, it is a plain access: two processes that use
// the number at the same time need a lock, unless both only Get.
func (v Value) Get() int64 { return v.words.Load(v.i) }

// Set changes the number.
func (v Value) Set(x int64) { v.words.Store(v.i, x) }

// Add adds d in one step, which needs no lock, and returns the new number.
func (v Value) Add(d int64) int64 { return v.words.Add(v.i, d) }

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
	if i < 0 || i >= a.n {
		return 0, fmt.Errorf("element %d of %d: %w", i, a.n, ErrRange)
	}
	return a.words.Load(a.from + i), nil
}

// Set changes element i.
func (a Array) Set(i int, x int64) error {
	if i < 0 || i >= a.n {
		return fmt.Errorf("element %d of %d: %w", i, a.n, ErrRange)
	}
	a.words.Store(a.from+i, x)
	return nil
}

// Slice returns the elements from number from up to, but without, number to: the
// same numbers, not a copy of them.
func (a Array) Slice(from, to int) (Array, error) {
	if from < 0 || from > to || to > a.n {
		return Array{}, fmt.Errorf("elements %d to %d of %d: %w", from, to, a.n, ErrRange)
	}
	return Array{words: a.words, from: a.from + from, n: to - from}, nil
}

// Values returns a copy of all elements.
func (a Array) Values() []int64 {
	xs := make([]int64, a.n)
	for i := range xs {
		xs[i] = a.words.Load(a.from + i)
	}
	return xs
}

// Do calls f while it holds the lock, and releases the lock also if f returns an
// error, which Do then returns, panics, or ends its goroutine (runtime.Goexit). f is
// told if the lock's former owner died with it; that is no error of Do.
func (l *Lock) Do(ctx context.Context, f func(ownerDied bool) error) (err error) {
	err = l.Acquire(ctx)
	died := errors.Is(err, ErrOwnerDied)
	if err != nil && !died {
		return err
	}
	defer func() { err = errors.Join(err, l.Release()) }()
	return f(died)
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
	s, err := Create(1)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if err := run(ctx, s, processes, countName, string(way), strconv.Itoa(increments)); err != nil {
		return 0, err
	}
	v, err := s.Value(0)
	if err != nil {
		return 0, err
	}
	return v.Get(), nil
}

// count is what a child of Count does.
func count(s *Segment, _, _ int, args []string) error {
	v, err := s.Value(0)
	if err != nil {
		return err
	}
	increments, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	step := map[Way]func() error{
		Unlocked: func() error { v.Set(v.Get() + 1); return nil },
		Locked: func() error {
			return s.Lock().Do(context.Background(), func(bool) error { v.Set(v.Get() + 1); return nil })
		},
		Atomic: func() error { v.Add(1); return nil },
	}[Way(args[0])]
	if step == nil {
		return fmt.Errorf("unknown way %q", args[0])
	}
	for range increments {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// Fill starts that many child processes, which together fill an Array of n
// elements with their squares, so that element i is i*i: the first child takes
// elements 0, processes, 2*processes and so on, the second one those that follow
// them. It waits for all of them and returns a copy of the array. Errors are as
// with Count.
func Fill(ctx context.Context, processes, n int) ([]int64, error) {
	s, err := Create(n)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := run(ctx, s, processes, fillName); err != nil {
		return nil, err
	}
	a, err := s.Array(0, n)
	if err != nil {
		return nil, err
	}
	return a.Values(), nil
}

// fill is what a child of Fill does. No two children touch the same element, so
// they need no lock.
func fill(s *Segment, me, processes int, _ []string) error {
	a, err := s.Array(0, s.Len())
	if err != nil {
		return err
	}
	for i := me; i < a.Len(); i += processes {
		if err := a.Set(i, int64(i)*int64(i)); err != nil {
			return err
		}
	}
	return nil
}

// run starts the child processes, lets them begin together, and waits for them.
func run(ctx context.Context, s *Segment, processes int, name string, args ...string) error {
	if processes < 1 {
		return fmt.Errorf("%d processes: need at least 1", processes)
	}
	ready, isReady, err := os.Pipe() // ends when all children have closed their end
	if err != nil {
		return err
	}
	defer ready.Close()
	begin, mayBegin, err := os.Pipe() // ends when this process closes its end
	if err != nil {
		isReady.Close()
		return err
	}

	var cmds []*exec.Cmd
	var errs []error
	for me := range processes {
		cmd := exec.CommandContext(ctx, reexec.Self())
		cmd.Args = append([]string{name, strconv.Itoa(me), strconv.Itoa(processes)}, args...)
		cmd.Stderr = os.Stderr
		cmd.ExtraFiles = []*os.File{s.File(), isReady, begin}
		if err := cmd.Start(); err != nil {
			errs = append(errs, fmt.Errorf("start child %d: %w", me, err))
			break // those that were started end as usual
		}
		cmds = append(cmds, cmd)
	}
	isReady.Close()
	begin.Close()
	_, _ = io.Copy(io.Discard, ready) // a child that dies closes its end too
	mayBegin.Close()
	for me, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			errs = append(errs, fmt.Errorf("child %d: %w", me, err))
		}
	}
	return errors.Join(append(errs, ctx.Err())...)
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
	ready, begin := os.NewFile(4, "ready"), os.NewFile(5, "begin")
	if err := ready.Close(); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, begin); err != nil {
		return err
	}
	return errors.Join(do(s, me, processes, os.Args[3:]), s.Close())
}
