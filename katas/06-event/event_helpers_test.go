package event_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/require"

	event "prokata/katas/06-event"
)

// An actor is a child process that does what the test tells it, line by line,
// and answers each line with one line.
type actor struct {
	t     *testing.T
	cmd   *exec.Cmd
	say   *os.File      // commands, one a line
	hear  *bufio.Reader // answers, one a line
	ours  []*os.File    // this process's ends of its standard input and output
	child []*os.File    // the child's ends, until it has started
	ended bool
}

// cast prepares an actor that opens the given ends of events at its start:
// "waiter NAME" or "setter NAME".
func cast(t *testing.T, ends ...string) *actor {
	t.Helper()
	a := &actor{t: t, cmd: reexec.Command(append([]string{"event-actor"}, ends...)...)}
	t.Cleanup(a.finish)
	in, say, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	a.ours, a.child = append(a.ours, say), append(a.child, in)
	hear, out, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	a.ours, a.child = append(a.ours, hear), append(a.child, out)
	a.say, a.hear = say, bufio.NewReader(hear)
	a.cmd.Stdin, a.cmd.Stdout, a.cmd.Stderr = in, out, os.Stderr
	return a
}

// An end is an end of an event that an actor can get.
type end interface{ Pass(*exec.Cmd, string) }

// A named end is passed under its name.
type named struct {
	name string
	end
}

// enter starts an actor that gets the given ends, each under its name.
func enter(t *testing.T, ends ...named) *actor {
	t.Helper()
	var open []string
	for _, e := range ends {
		switch e.end.(type) {
		case *event.Waiter:
			open = append(open, "waiter "+e.name)
		default:
			open = append(open, "setter "+e.name)
		}
	}
	a := cast(t, open...)
	for _, e := range ends {
		e.Pass(a.cmd, e.name)
	}
	a.begin()
	return a
}

// begin starts an actor that was given its ends.
func (a *actor) begin() {
	a.t.Helper()
	require.NoError(a.t, a.cmd.Start(), "a child could not be started that the ends were passed to")
	a.entered()
}

// entered waits until a, which has been started, is ready.
func (a *actor) entered() {
	a.t.Helper()
	closeAll(a.child)
	a.child = nil
	require.Equal(a.t, "ready", a.answer(), "the child did not get the ends that were passed to it")
}

// tell gives a command and does not wait for the answer.
func (a *actor) tell(format string, args ...any) {
	a.t.Helper()
	_, err := fmt.Fprintf(a.say, format+"\n", args...)
	require.NoError(a.t, err, "the child had ended too early")
}

// answer returns the next answer, or "ended" if the actor has ended.
func (a *actor) answer() string {
	line, err := a.hear.ReadString('\n')
	if err != nil {
		return "ended"
	}
	return strings.TrimSuffix(line, "\n")
}

// ask gives a command and returns its answer.
func (a *actor) ask(format string, args ...any) string {
	a.t.Helper()
	a.tell(format, args...)
	return a.answer()
}

// do gives a command that must not fail.
func (a *actor) do(command string) {
	a.t.Helper()
	what, _, _ := strings.Cut(command, " ")
	require.Equal(a.t, "nil", a.ask("%s", command), "%s failed in the child", strings.ToUpper(what[:1])+what[1:])
}

// kill ends the actor by SIGKILL and reaps it.
func (a *actor) kill() {
	a.t.Helper()
	require.NoError(a.t, a.cmd.Process.Kill(), "the child had ended, and was waited for, before the test could kill it")
	a.cmd.Wait()
	a.ended = true
}

// finish ends the actor, if it has not ended, and reaps it.
func (a *actor) finish() {
	closeAll(a.ours) // the end of its input ends an idle actor
	closeAll(a.child)
	if a.cmd.Process != nil && !a.ended {
		a.ended = true
		a.cmd.Process.Kill() // for one that is not idle
		a.cmd.Wait()
	}
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// A consulted context closes asked when it is first asked whether it has ended, or for
// what tells of its end: its user knows of it then, and is about to wait.
type consulted struct {
	context.Context
	once  sync.Once
	asked chan struct{}
}

func (c *consulted) Done() <-chan struct{} {
	c.once.Do(func() { close(c.asked) })
	return c.Context.Done()
}

func (c *consulted) Err() error {
	c.once.Do(func() { close(c.asked) })
	return c.Context.Err()
}

// open returns a new event whose ends are closed with the test.
func open(t *testing.T) (*event.Waiter, *event.Setter) {
	t.Helper()
	w, s, err := event.New()
	require.NoError(t, err, "New failed")
	t.Cleanup(func() {
		w.Close()
		s.Close()
	})
	return w, s
}

// isSet asks w, and fails the test if it does not know.
func isSet(t *testing.T, w *event.Waiter) bool {
	t.Helper()
	set, err := w.IsSet()
	require.NoError(t, err, "IsSet failed")
	return set
}

func init() {
	reexec.Register("event-actor", act)
	reexec.Register("event-heir", heir)
	reexec.Register("event-bystander", func() { io.Copy(io.Discard, os.Stdin) })
}

// heir tells what it got: whether it could open and set the event of the name it was
// given, whether it could open it to wait, and how many pipes it holds beside its
// standard input, output and error.
func heir() {
	name := os.Args[1]
	s, err := event.OpenSetter(name)
	if err == nil {
		err = errors.Join(s.Set(), s.Close())
	}
	w, errWaiter := event.OpenWaiter(name)
	if errWaiter == nil {
		w.Close()
	}
	pipes := 0
	for fd := 3; fd < 100; fd++ {
		var st syscall.Stat_t
		if syscall.Fstat(fd, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFIFO {
			pipes++
		}
	}
	fmt.Println(word(err), word(errWaiter), pipes)
}

// act is the actor's side: it opens its ends, says "ready", and obeys.
func act() {
	waiters, setters := map[string]*event.Waiter{}, map[string]*event.Setter{}
	for _, end := range os.Args[1:] {
		kind, name, _ := strings.Cut(end, " ")
		var err error
		if kind == "waiter" {
			waiters[name], err = event.OpenWaiter(name)
		} else {
			setters[name], err = event.OpenSetter(name)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println("ready")
	ctx := context.Background()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		words := append(strings.Fields(in.Text()), "", "", "")
		w, s := waiters[words[1]], setters[words[1]]
		switch words[0] {
		case "set":
			var err error
			for i := 0; i < number(words[2]) && err == nil; i++ {
				err = s.Set()
			}
			fmt.Println(word(err))
		case "wait":
			fmt.Println(word(w.Wait(ctx)))
		case "all-wait": // NAME N: n goroutines
			errs := make(chan error)
			for range number(words[2]) {
				go func() { errs <- w.Wait(ctx) }()
			}
			var all error
			for range number(words[2]) {
				all = errors.Join(all, <-errs)
			}
			fmt.Println(word(all))
		case "is-set":
			set, err := w.IsSet()
			fmt.Println(set, word(err))
		case "clear":
			fmt.Println(word(w.Clear()))
		case "close": // NAME, a waiter
			fmt.Println(word(w.Close()))
		case "work": // NAME FILE: real work, its result, and only then the word
			burn(100 * time.Millisecond)
			os.WriteFile(words[2], []byte("done"), 0o600)
			fmt.Println(word(s.Set()))
		case "rounds": // PING PONG N
			var all error
			for i := 0; i < number(words[3]) && all == nil; i++ {
				all = errors.Join(w.Wait(ctx), w.Clear(), setters[words[2]].Set())
			}
			fmt.Println(word(all))
		case "cost": // NAME: the CPU time of one Wait
			before := cpuTime()
			err := w.Wait(ctx)
			fmt.Println((cpuTime() - before).Milliseconds(), word(err))
		case "leave-bystander": // NAME: close the end, while a child of ours lives
			child := reexec.Command("event-bystander")
			stdin, err := child.StdinPipe()
			err = errors.Join(err, child.Start(), s.Close())
			fmt.Println(word(err))
			in.Scan()
			stdin.Close()
			fmt.Println(word(child.Wait()))
		case "open-again": // NAME
			_, errSetter := event.OpenSetter(words[1])
			_, errWaiter := event.OpenWaiter(words[1])
			fmt.Println(word(errSetter), word(errWaiter))
		case "getenv": // VARIABLE
			fmt.Println(os.Getenv(words[1]))
		case "write-to": // DESCRIPTOR TEXT
			f := os.NewFile(uintptr(number(words[1])), "passed by the test")
			_, err := f.WriteString(words[2])
			fmt.Println(word(errors.Join(err, f.Close())))
		case "child-opens": // NAME: a child of ours tries
			out, err := reexec.Command("event-heir", words[1]).Output()
			fmt.Println(strings.TrimSpace(string(out)), word(err))
		case "child-sets": // NAME: a child of ours that we pass the end to
			child := reexec.Command("event-heir", words[1])
			s.Pass(child, words[1])
			out, err := child.Output()
			fmt.Println(strings.TrimSpace(string(out)), word(err))
		}
	}
}

// word returns err as one word.
func word(err error) string {
	switch {
	case err == nil:
		return "nil"
	case errors.Is(err, event.ErrAbandoned):
		return "abandoned"
	case errors.Is(err, os.ErrNotExist):
		return "not-exist"
	default:
		return strings.ReplaceAll(err.Error(), "\n", "; ")
	}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 1
	}
	return n
}

// burn uses the given CPU time.
func burn(d time.Duration) {
	for end := cpuTime() + d; cpuTime() < end; {
		for i := range 1000 {
			sink += i
		}
	}
}

var sink int

// cpuTime returns the CPU time that this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
