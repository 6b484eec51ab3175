package findings

import (
	"github.com/moby/sys/reexec"
	"golang.org/x/sys/unix"
)

func init() {
	reexec.Register("busy-wait-wrong", func() { wait(0) })
	reexec.Register("busy-wait-right", func() { wait(-1) })
}

// wait returns when there is something to read from the standard input, or its end. It
// asks again and again, and sleeps in the kernel for so many milliseconds each time; -1 is
// until there is an answer.
func wait(milliseconds int) {
	in := []unix.PollFd{{Fd: 0, Events: unix.POLLIN}}
	for {
		if n, _ := unix.Poll(in, milliseconds); n > 0 {
			return
		}
	}
}

// BusyWaitWrong starts a child that never sleeps while it waits.
func BusyWaitWrong() (pid int, end func() error, err error) { return waiter("busy-wait-wrong") }

// BusyWaitRight starts a child that sleeps until it is told.
func BusyWaitRight() (pid int, end func() error, err error) { return waiter("busy-wait-right") }

func waiter(name string) (pid int, end func() error, err error) {
	cmd := reexec.Command(name)
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, nil, err
	}
	if err := cmd.Start(); err != nil {
		return 0, nil, err
	}
	return cmd.Process.Pid, func() error { in.Close(); return cmd.Wait() }, nil
}
