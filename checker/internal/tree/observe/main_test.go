//go:build linux

package observe

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/moby/sys/reexec"
	"golang.org/x/sys/unix"
)

// The test binary plays the programs that the tests look at: each is registered
// in the file that uses it.
func TestMain(m *testing.M) {
	if reexec.Init() {
		return
	}
	// The tests are the supervisor of what they start.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, "prctl:", err)
		os.Exit(1)
	}
	// The programs sleep for most of their time.
	flag.Parse()
	flag.Set("test.parallel", "8")
	code := m.Run()
	if left := left(); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "left behind:", strings.Join(left, ", "))
		code = 1
	}
	os.Exit(code)
}

// left ends the programs that the tests left behind, and names them.
func left() (names []string) {
	list, err := Processes(os.Getpid())
	if err != nil {
		return []string{err.Error()}
	}
	for _, p := range list {
		if p.PID != os.Getpid() && p.State != "Z" {
			names = append(names, fmt.Sprintf("pid %d %q", p.PID, p.Name))
			unix.Kill(p.PID, unix.SIGKILL)
		}
	}
	return names
}

// command is a program of this binary, without the second that a race build
// sleeps at its end.
func command(args ...string) *exec.Cmd {
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: args, Stderr: os.Stderr}
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	return cmd
}

// start runs a program until the test ends, and returns when it has written a
// line, with that line.
func start(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("%s: %v", cmd.Args[0], err)
	}
	return line
}

// park keeps a program alive until its parent closes its standard input.
func park() { io.Copy(io.Discard, os.Stdin) }
