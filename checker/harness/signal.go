package harness

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/tree/wire"
)

// Signal sends a signal as syscall.Kill does, to a process or to the group of -pid, and
// lets the supervisor know of it before: a timeline can then show it at its moment.
func Signal(pid int, sig syscall.Signal) error {
	if supervisor != nil {
		name := unix.SignalName(sig)
		if name == "" {
			name = fmt.Sprintf("signal %d", int(sig))
		}
		supervisor.ask(wire.Event{Kind: wire.Signal, PIDs: []int{pid}, Signal: name})
	}
	return syscall.Kill(pid, sig)
}
