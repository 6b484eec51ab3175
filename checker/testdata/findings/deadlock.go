package findings

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/moby/sys/reexec"
	"golang.org/x/sys/unix"
)

func init() {
	reexec.Register("deadlock", func() {
		first := lock(os.Args[1])
		defer first.Close()
		if len(os.Args) > 3 { // both have their first one before either takes its second
			fmt.Println("has one")
			fmt.Scanln()
		}
		second := lock(os.Args[2])
		defer second.Close()
	})
}

// lock waits for the lock on a file. To close the file gives it back.
func lock(path string) *os.File {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
	}
	if err != nil {
		panic(err)
	}
	return f
}

// DeadlockWrong has two children that take two locks, each in an order of its own.
func DeadlockWrong(a, b string) error {
	var children []*exec.Cmd
	var held []io.Closer
	for _, order := range [][2]string{{a, b}, {b, a}} {
		cmd := reexec.Command("deadlock", order[0], order[1], "meet")
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			return err
		}
		children, held = append(children, cmd), append(held, in)
	}
	for _, in := range held {
		in.Close() // go on
	}
	return errors.Join(children[0].Wait(), children[1].Wait())
}

// DeadlockRight has two children that take them in the same order.
func DeadlockRight(a, b string) error {
	one, two := reexec.Command("deadlock", a, b), reexec.Command("deadlock", a, b)
	return errors.Join(one.Start(), two.Start(), one.Wait(), two.Wait())
}
