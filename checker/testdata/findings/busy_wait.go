package findings

import (
	"io"
	"os"

	"github.com/moby/sys/reexec"
)

func init() {
	reexec.Register("busy-wait-wrong", func() {
		for {
			if _, err := os.Stat(os.Args[1]); err != nil {
				return // the file is gone: that is the word
			}
		}
	})
	reexec.Register("busy-wait-right", func() {
		io.Copy(io.Discard, os.Stdin) // returns at the end of the pipe: that is the word
	})
}

// BusyWaitWrong starts a child that asks again and again whether a file is there.
func BusyWaitWrong(file string) (pid int, end func() error, err error) {
	cmd := reexec.Command("busy-wait-wrong", file)
	if err := cmd.Start(); err != nil {
		return 0, nil, err
	}
	return cmd.Process.Pid, func() error { os.Remove(file); return cmd.Wait() }, nil
}

// BusyWaitRight starts a child that sleeps in the kernel until it is told.
func BusyWaitRight(string) (pid int, end func() error, err error) {
	cmd := reexec.Command("busy-wait-right")
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, nil, err
	}
	if err := cmd.Start(); err != nil {
		return 0, nil, err
	}
	return cmd.Process.Pid, func() error { in.Close(); return cmd.Wait() }, nil
}
