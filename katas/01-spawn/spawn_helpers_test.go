package spawn_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"prokata/checker/harness"
	spawn "prokata/katas/01-spawn"
)

// What the children of these tests run. Where a child has files, Files[0] is the
// pipe on which it says something, and Files[1] its gate, which ends when opened.
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

// file returns a file of the child's job. Without one, it returns a nil file,
// whose methods return errors.
func file(c spawn.Child, i int) *os.File {
	if i >= len(c.Files) {
		return nil
	}
	return c.Files[i]
}

func sayHere(c spawn.Child)     { fmt.Fprintf(file(c, 0), "%d %q\n", os.Getpid(), c.Message) }
func waitForGate(c spawn.Child) { _, _ = io.Copy(io.Discard, file(c, 1)) }

func waitAtGate(c spawn.Child) int {
	sayHere(c)
	waitForGate(c)
	return 0
}

// exitWith waits at its gate and ends with the code in its message.
func exitWith(c spawn.Child) int {
	waitAtGate(c)
	code, err := strconv.Atoi(c.Message)
	if err != nil {
		return 99
	}
	return code
}

// printTail prints a line that has no end, and only then comes to its gate.
func printTail(c spawn.Child) int {
	fmt.Fprint(c.Out, c.Message)
	return waitAtGate(c)
}

// printInTwo prints the words of its message, the second when its gate opens.
func printInTwo(c spawn.Child) int {
	first, second, _ := strings.Cut(c.Message, " ")
	fmt.Fprint(c.Out, first)
	waitAtGate(c)
	fmt.Fprint(c.Out, second)
	return 0
}

// printThenWait prints its message as a line, and only then comes to its gate.
func printThenWait(c spawn.Child) int {
	fmt.Fprintln(c.Out, c.Message)
	return waitAtGate(c)
}

// printMany waits at its gate; its message "3 200 x" then makes it print three
// lines of 200 letters x.
func printMany(c spawn.Child) int {
	waitAtGate(c)
	var lines, width int
	var letter string
	if _, err := fmt.Sscan(c.Message, &lines, &width, &letter); err != nil {
		return 99
	}
	for range lines {
		fmt.Fprintln(c.Out, strings.Repeat(letter, width))
	}
	return 0
}

// echo says again what it reads from its gate, until that is open.
func echo(c spawn.Child) int {
	sayHere(c)
	_, _ = io.Copy(file(c, 0), file(c, 1))
	return 0
}

// complain prints on standard error and stays.
func complain(c spawn.Child) int {
	fmt.Fprintln(os.Stderr, "child: complaint")
	return stay(c)
}

// stay never ends of its own accord.
func stay(c spawn.Child) int {
	sayHere(c)
	forever()
	return 0
}

// stayStubbornly says "TERM" instead of ending when it is asked to end.
func stayStubbornly(c spawn.Child) int {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	sayHere(c)
	for range asked {
		fmt.Fprintln(file(c, 0), "TERM")
	}
	return 0
}

// endPolitely ends when it is asked to, with a last word and a code of its own.
func endPolitely(c spawn.Child) int {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	sayHere(c)
	<-asked
	fmt.Fprintln(c.Out, "goodbye")
	return 3
}

// forever waits for a signal that nobody sends: unlike an empty select, which Go
// calls a deadlock of the process.
func forever() {
	never := make(chan os.Signal, 1)
	signal.Notify(never, syscall.SIGUSR2)
	<-never
}

// A stage is where one call of Run is played: it runs in the background, while
// the test talks with the children over pipes.
type stage struct {
	t      *testing.T
	ctx    context.Context
	cancel context.CancelFunc

	hereR, hereW *os.File // on which the children speak; ends after Run has returned
	said         *bufio.Reader
	gates        []*os.File // the ends that keep the gates shut
	files        []*os.File // all others

	done  chan struct{} // closed when Run has returned
	exits []spawn.Exit
	err   error
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.hereR, s.hereW = s.pipe()
	s.said = bufio.NewReader(s.hereR)
	t.Cleanup(func() {
		s.openAll()
		s.cancel()
		if s.done != nil {
			<-s.done
		}
		for _, f := range s.files {
			f.Close()
		}
	})
	return s
}

func (s *stage) pipe() (r, w *os.File) {
	s.t.Helper()
	r, w, err := os.Pipe()
	require.NoError(s.t, err, "the test could not make a pipe")
	s.files = append(s.files, r, w)
	return r, w
}

// endPipe returns a pipe whose writing end is for a child, and whose reading end
// ends with that child, once letGo has been called.
func (s *stage) endPipe() (r, w *os.File, letGo func()) {
	s.t.Helper()
	r, w = s.pipe()
	fd := int(w.Fd())
	return r, w, func() {
		// Not w.Close: the program read the file in another goroutine when it
		// started the child, and nothing that the race detector knows of has
		// happened since.
		null, err := os.Open(os.DevNull)
		require.NoError(s.t, err, "the test could not open "+os.DevNull)
		defer null.Close()
		require.NoError(s.t, unix.Dup2(int(null.Fd()), fd), "the test could not close its end of a pipe")
	}
}

// job returns a job with a gate of its own, and the end to close to open it.
func (s *stage) job(name, message string) (spawn.Job, *os.File) {
	s.t.Helper()
	r, w := s.pipe()
	s.gates = append(s.gates, w)
	return spawn.Job{Func: name, Message: message, Files: []*os.File{s.hereW, r}}, w
}

// run begins a call of Run.
func (s *stage) run(g spawn.Group, jobs ...spawn.Job) {
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		defer s.hereW.Close() // the children may hold it still, but nobody else
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
	line, err := s.said.ReadString('\n')
	if err != nil {
		_, err := s.end()
		require.NoError(s.t, err, "Run returned an error when the test was still %s", doing)
		require.FailNow(s.t, "Run returned early", "Run returned, and no child held the files of its job any more, when the test was still %s", doing)
	}
	return strings.TrimSuffix(line, "\n")
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

// openAll opens all gates.
func (s *stage) openAll() {
	for _, gate := range s.gates {
		gate.Close()
	}
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
