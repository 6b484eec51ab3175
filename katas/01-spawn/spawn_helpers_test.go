package spawn_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	spawn "prokata/katas/01-spawn"
)

// What the children of these tests run. The message of most begins with the child's
// place on the test's stage, where it says that it is there, and has its gate.
func init() {
	spawn.Register("report", report)
	spawn.Register("gate", waitAtGate)
	spawn.Register("exit", exitWith)
	spawn.Register("tail", printTail)
	spawn.Register("split", printInTwo)
	spawn.Register("line", printThenWait)
	spawn.Register("many", printMany)
	spawn.Register("echo", echo)
	spawn.Register("complain", complain)
	spawn.Register("stay", stay)
	spawn.Register("stubborn", stayStubbornly)
	spawn.Register("polite", endPolitely)
}

// A reportLine is what the function "report" prints, as JSON.
type reportLine struct {
	PID, Parent int
	Message     []byte
}

func report(c spawn.Child) int {
	if err := json.NewEncoder(c.Out).Encode(reportLine{os.Getpid(), os.Getppid(), []byte(c.Message)}); err != nil {
		return 1
	}
	return 0
}

// onStage takes a child to its place, and returns it with the rest of the message. A
// child whose message was damaged has none: its files are nil, and return errors.
func onStage(c spawn.Child) (at harness.Place, message string) {
	place, message, _ := strings.Cut(c.Message, " ")
	at, err := harness.Enter(place)
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
	}
	return at, message
}

func sayHere(at harness.Place, message string) {
	// A stage is no place for long speeches: nobody may be listening.
	fmt.Fprintf(at.Here, "%d %q\n", os.Getpid(), message[:min(len(message), 100)])
}

func waitForGate(at harness.Place) { _, _ = io.Copy(io.Discard, at.Gate) }

// enter says that the child is there, and waits at its gate.
func enter(c spawn.Child) (message string) {
	at, message := onStage(c)
	sayHere(at, message)
	waitForGate(at)
	return message
}

func waitAtGate(c spawn.Child) int {
	enter(c)
	return 0
}

// exitWith waits at its gate and ends with the code in its message.
func exitWith(c spawn.Child) int {
	code, err := strconv.Atoi(enter(c))
	if err != nil {
		return 99
	}
	return code
}

// printTail prints a line that has no end, and only then comes to its gate.
func printTail(c spawn.Child) int {
	at, message := onStage(c)
	fmt.Fprint(c.Out, message)
	sayHere(at, message)
	waitForGate(at)
	return 0
}

// printInTwo prints the words of its message, the second when its gate opens.
func printInTwo(c spawn.Child) int {
	at, message := onStage(c)
	first, second, _ := strings.Cut(message, " ")
	fmt.Fprint(c.Out, first)
	sayHere(at, message)
	waitForGate(at)
	fmt.Fprint(c.Out, second)
	return 0
}

// printThenWait prints its message as a line, and only then comes to its gate.
func printThenWait(c spawn.Child) int {
	at, message := onStage(c)
	fmt.Fprintln(c.Out, message)
	sayHere(at, message)
	waitForGate(at)
	return 0
}

// printMany waits at its gate; its message "3 200 x" then makes it print three
// lines of 200 letters x.
func printMany(c spawn.Child) int {
	message := enter(c)
	var lines, width int
	var letter string
	if _, err := fmt.Sscan(message, &lines, &width, &letter); err != nil {
		return 99
	}
	for range lines {
		fmt.Fprintln(c.Out, strings.Repeat(letter, width))
	}
	return 0
}

// echo says again what it reads from its gate, until that is open.
func echo(c spawn.Child) int {
	at, message := onStage(c)
	sayHere(at, message)
	_, _ = io.Copy(at.Here, at.Gate)
	return 0
}

// complain prints on standard error and stays.
func complain(c spawn.Child) int {
	fmt.Fprintln(os.Stderr, "child: complaint")
	return stay(c)
}

// stay never ends of its own accord.
func stay(c spawn.Child) int {
	sayHere(onStage(c))
	forever()
	return 0
}

// stayStubbornly does not end when it is asked to.
func stayStubbornly(c spawn.Child) int {
	signal.Ignore(syscall.SIGTERM)
	return stay(c)
}

// endPolitely ends when it is asked to, with a last word and a code of its own.
func endPolitely(c spawn.Child) int {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	sayHere(onStage(c))
	<-asked
	fmt.Fprintln(c.Out, "goodbye")
	return 3
}

// forever waits for a pipe to end whose other end it holds itself.
func forever() {
	r, w, err := os.Pipe()
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, r)
	runtime.KeepAlive(w)
}

// A stage is where one call of Run is played: it runs in the background, while the test
// talks with the children.
type stage struct {
	*harness.Stage
	t      *testing.T
	ctx    context.Context
	cancel context.CancelFunc

	others []*harness.Stage // of children that are alone

	done  chan struct{} // closed when Run has returned
	exits []spawn.Exit
	err   error
}

func newStage(t *testing.T) *stage {
	s := &stage{Stage: harness.NewStage(t), t: t}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	t.Cleanup(func() {
		s.OpenAll()
		s.cancel()
		if s.done != nil {
			<-s.done
		}
	})
	return s
}

// job returns a job with a gate of its own, and the end to close to open it.
func (s *stage) job(name, message string) (spawn.Job, *os.File) {
	s.t.Helper()
	place, gate := s.Gate()
	return spawn.Job{Func: name, Message: place + " " + message}, gate
}

// run begins a call of Run.
func (s *stage) run(g spawn.Group, jobs ...spawn.Job) {
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		defer func() { // from now on nobody comes
			for _, stage := range append(s.others, s.Stage) {
				stage.Close()
			}
		}()
		s.exits, s.err = g.Run(s.ctx, jobs...)
	}()
}

// end waits until Run has returned.
func (s *stage) end() ([]spawn.Exit, error) {
	<-s.done
	return s.exits, s.err
}

// wait waits until a channel is closed, which is to be the case once what happens
// has happened.
func (s *stage) wait(happened <-chan struct{}, what string) {
	s.t.Helper()
	select {
	case <-happened:
	case <-s.done:
		require.NoError(s.t, s.err, "Run returned an error before %s", what)
		require.FailNow(s.t, "Run returned early", "Run returned before %s", what)
	}
}

// hear returns the next line that a child says. Doing what the program was doing
// when the children fell silent is for the message.
func (s *stage) hear(doing string) string {
	s.t.Helper()
	line, err := s.Hear()
	if err != nil {
		_, err := s.end()
		require.NoError(s.t, err, "Run returned an error when the test was still %s", doing)
		require.FailNow(s.t, "Run returned early", "Run returned, and no child was there any more, when the test was still %s", doing)
	}
	return line
}

// arrivals waits until n children have said that they are there, and returns
// their process IDs by their messages.
func (s *stage) arrivals(n int) map[string]int {
	s.t.Helper()
	pids := map[string]int{}
	for i := range n {
		line := s.hear(fmt.Sprintf("waiting for %d children to be there at one time (%d had come)", n, i))
		var pid int
		var message string
		_, err := fmt.Sscanf(line, "%d %q", &pid, &message)
		require.NoError(s.t, err, "a child said something else than that it was there: %q", line)
		require.NotEqual(s.t, os.Getpid(), pid, "a child's function ran in the parent's own process")
		pids[message] = pid
	}
	return pids
}

// An alone is the stage of one child: that the child has ended is seen when it has left.
type alone struct {
	*harness.Stage
	s    *stage
	gate *os.File
}

// alone returns a job whose child is on a stage of its own.
func (s *stage) alone(name, message string) (spawn.Job, alone) {
	s.t.Helper()
	a := alone{Stage: harness.NewStage(s.t), s: s}
	place, gate := a.Gate()
	a.gate = gate
	s.others = append(s.others, a.Stage)
	return spawn.Job{Func: name, Message: place + " " + message}, a
}

// arrives waits until the child is there.
func (a alone) arrives() {
	a.s.t.Helper()
	if _, err := a.Hear(); err != nil {
		_, err := a.s.end()
		require.NoError(a.s.t, err, "Run returned an error before its children had come")
		require.FailNow(a.s.t, "Run returned early", "Run returned before its children had come")
	}
	a.Close()
}

// end opens the gate and waits until the child has ended.
func (a alone) end() {
	a.s.t.Helper()
	a.gate.Close()
	said, err := a.Hear()
	require.Equal(a.s.t, io.EOF, err, "a child said more than it was told to: %q", said)
}

// returned reports whether Run has returned.
func (s *stage) returned() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// runAndWait calls Run in the foreground.
func runAndWait(t *testing.T, g spawn.Group, jobs ...spawn.Job) []spawn.Exit {
	t.Helper()
	exits, err := g.Run(harness.OtherContext(), jobs...)
	require.NoError(t, err, "Run returned an error")
	require.Len(t, exits, len(jobs), "Run returned another number of exits than of jobs")
	return exits
}

// exists reports whether there is a process with this ID, be it a zombie.
func exists(pid int) bool { return syscall.Kill(pid, 0) == nil }

// out gathers the writes of a Group, one element each.
type out struct {
	mu     sync.Mutex
	writes []string
	more   chan struct{} // has room for one: "look again"
}

func newOut() *out { return &out{more: make(chan struct{}, 1)} }

func (o *out) Write(p []byte) (int, error) {
	o.mu.Lock()
	o.writes = append(o.writes, string(p))
	o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

// all returns the writes so far.
func (o *out) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.writes...)
}

// lines returns what was written so far, line by line, however it came.
func (o *out) lines() []string {
	return slices.Collect(strings.Lines(strings.Join(o.all(), "")))
}

// wait waits until there were n writes, or the stage is over.
func (o *out) wait(s *stage, n int) []string {
	for {
		if writes := o.all(); len(writes) >= n || s.returned() {
			return writes
		}
		select {
		case <-o.more:
		case <-s.done:
		}
	}
}
