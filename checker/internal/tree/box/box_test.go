//go:build linux

package box

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/evidence"
)

// The test binary is process 1 of its boxes, and the attacker in them.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "boxed" {
		code := 0
		if err := serve(Kind(os.Args[2]), os.Args[3:]); err != nil {
			fmt.Println("held:", err)
			code = 1
		}
		syscall.Exit(code) // os.Exit of a race-built program sleeps for a second
	}
	os.Exit(open(m))
}

// open runs the tests from a copy of this program that every user can start: the go
// command puts it where only its own user can.
func open(m *testing.M) int {
	const copied = "PROKATA_COPIED"
	if os.Getenv(copied) != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("/var/tmp", "prokata-test-")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	program, err := os.ReadFile(self()[0])
	path := filepath.Join(dir, "box.test")
	if err := errors.Join(err, os.Chmod(dir, 0o755), os.WriteFile(path, program, 0o755), os.Chmod(path, 0o755)); err != nil {
		fmt.Println(err)
		return 1
	}
	cmd := exec.Command(path, os.Args[1:]...)
	cmd.Env = append(os.Environ(), copied+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if cmd.Run() != nil {
		return 1
	}
	return 0
}

func self() []string {
	path, err := os.Executable()
	if err != nil {
		path = os.Args[0]
	}
	return []string{path, "boxed"}
}

const (
	attacker Kind = "attack"
	bareKind Kind = "bare"    // starts the attack in no box
	escaped       = "escaped" // is what an attack prints that has done what it should not
)

func serve(kind Kind, args []string) error {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	switch {
	case kind == attacker:
		_, _ = os.Stdin.Read(make([]byte, 1)) // until it is in its groups
		err := attacks[args[0]](args[1])
		if err == nil {
			fmt.Println(escaped)
		}
		return err
	case kind == bareKind:
		return exec.Command(self()[0], "boxed", string(attacker), os.Getenv("ATTACK"), os.Getenv("ARGUMENT")).Run()
	case kind == starter:
		return startForEver(args[0])
	case kind == Trial && len(args) > 0:
		return Look()
	}
	inner, err := Inside()
	if err != nil {
		return err
	}
	switch kind {
	case Trial:
		return inner.RunProbe(self())
	case Exec:
		return inner.Become(args, os.Environ())
	}
	return supervise(inner)
}

// supervise does what a supervisor does: it starts the attack by the airlock, puts it into
// its groups, and is there until it ends.
func supervise(inner *Inner) error {
	l, err := net.Listen("unix", supervisorSocket)
	if err != nil {
		return err
	}
	defer l.Close()
	var out bytes.Buffer
	cmd := exec.Command(self()[0], "boxed", string(attacker), os.Getenv("ATTACK"), os.Getenv("ARGUMENT"))
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: inner.Who()}
	gate, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := inner.Enter(cmd.Start); err != nil {
		return err
	}
	for _, dir := range []string{inner.Groups().Memory, inner.Groups().Tasks} {
		if dir == "" {
			continue
		}
		if err := os.WriteFile(dir+"/cgroup.procs", fmt.Append(nil, cmd.Process.Pid), 0); err != nil {
			return err
		}
	}
	gate.Close()
	err = cmd.Wait()
	_, _ = os.Stdout.Write(out.Bytes())
	return err
}

// run builds a box, and has one attack made in it.
func run(t *testing.T, attack, argument string, without ...string) string {
	t.Helper()
	show, err := Programs([]string{self()[0], "/usr/bin/sleep"})
	require.NoError(t, err)
	spec := Spec{
		Base: t.TempDir(), Show: show, Without: append(without, lacking(t)...),
		Limits: Limits{MemoryMiB: 128, Tasks: 40, TmpMiB: 16, FileMiB: 256, Files: 256},
	}
	cmd := exec.Command(self()[0])
	cmd.Env = []string{"ATTACK=" + attack, "ARGUMENT=" + argument, "GORACE=atexit_sleep_ms=0"}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	end, err := Start(self(), Supervise, spec, cmd)
	require.NoError(t, err)
	defer end()
	if err := cmd.Wait(); err != nil {
		fmt.Fprintln(&out, "the supervisor ended:", err)
	}
	return out.String()
}

// probed is what this machine gives.
var probed = sync.OnceValues(func() (evidence.Sandbox, error) {
	base, err := os.MkdirTemp("", "prokata-probe-")
	if err != nil {
		return evidence.Sandbox{}, err
	}
	defer os.RemoveAll(base)
	return Probe(self(), base), nil
})

// lacking are the layers that this machine does not give.
func lacking(t testing.TB) (all []string) {
	t.Helper()
	found, err := probed()
	require.NoError(t, err)
	for _, l := range found.Layers {
		if !l.OK {
			all = append(all, l.Name)
		}
	}
	return all
}

// need runs the test again as an ordinary user, and skips it where nobody can build a box.
func need(t *testing.T) {
	t.Helper()
	as(t)
	for _, name := range lacking(t) {
		if name == Namespaces || name == Root {
			t.Skipf("not checked here: there are no %s", name)
		}
	}
}

// as runs the test again as an ordinary user, if this one is the superuser.
func as(t *testing.T) {
	t.Helper()
	const again = "PROKATA_ORDINARY"
	if os.Geteuid() != 0 || os.Getenv(again) != "" {
		return
	}
	t.Run("as an ordinary user", func(t *testing.T) {
		cmd := exec.Command(self()[0], "-test.v", "-test.run=^"+strings.SplitN(t.Name(), "/", 2)[0]+"$")
		cmd.Env = append(os.Environ(), again+"=1", "TMPDIR=/tmp")
		const nobody = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		out, err := cmd.CombinedOutput()
		assert.NoError(t, err)
		t.Log(string(out))
	})
}
