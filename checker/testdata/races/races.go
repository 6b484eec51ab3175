// Package races holds four mistakes between two processes, each as a learner
// makes it: every child does its work once, in a moment, and most of the time all
// goes well. A check has to find them (BenchmarkPerturbation).
package races

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"

	"github.com/moby/sys/reexec"
	"golang.org/x/sys/unix"

	"prokata/checker/shm"
)

func init() {
	reexec.Register("count", child(count))
	reexec.Register("lock-both", child(lockBoth))
	reexec.Register("claim", child(claim))
	reexec.Register("add", child(add))
}

func child(f func(args []string) error) func() {
	return func() {
		if err := f(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// together runs the commands side by side.
func together(cmds ...*exec.Cmd) error {
	for _, cmd := range cmds {
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			return err
		}
	}
	var errs []error
	for _, cmd := range cmds {
		errs = append(errs, cmd.Wait())
	}
	return errors.Join(errs...)
}

// Count lets two processes add 1 to the shared word in the file: an update is
// lost if the second reads before the first has written.
func Count(path string) error {
	return together(reexec.Command("count", path), reexec.Command("count", path))
}

func count(args []string) error {
	f, err := os.OpenFile(args[0], os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	words, err := shm.Map(f, 1)
	if err != nil {
		return err
	}
	words.Store(0, words.Load(0)+1)
	return words.Unmap()
}

// LockBoth lets two processes each take both locks: they lie dead if each has
// taken its first.
func LockBoth(a, b string) error {
	return together(reexec.Command("lock-both", a, b), reexec.Command("lock-both", b, a))
}

func lockBoth(paths []string) error {
	for _, path := range paths {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
			return err
		}
	}
	return nil
}

// Claim lets two processes claim one path, and each that has got it writes its
// number into a file of its own: both do if the second looks before the first has
// created it.
func Claim(path string) error {
	return together(reexec.Command("claim", path, path+".1"), reexec.Command("claim", path, path+".2"))
}

func claim(args []string) error {
	_, err := os.Stat(args[0])
	if err == nil {
		return nil // the other one was first
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(args[0], nil, 0o600); err != nil {
		return err
	}
	return os.WriteFile(args[1], nil, 0o600)
}

// Add lets two processes add 1 to the number in the file: one is lost if the
// second reads before the first has written.
func Add(path string) error {
	return together(reexec.Command("add", path), reexec.Command("add", path))
}

func add(args []string) error {
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return fmt.Errorf("read %s: %w", args[0], err)
	}
	return os.WriteFile(args[0], []byte(strconv.Itoa(n+1)), 0o600)
}
