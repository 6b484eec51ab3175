package detect

import (
	"fmt"
	"strings"

	"prokata/checker/internal/evidence"
)

// The numbers of signals on Linux, where snapshots come from.
const (
	sigCont = 18
	firstRT = 34
)

// names are those of signals that a program may wait for.
var names = map[int]string{
	1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 10: "SIGUSR1", 12: "SIGUSR2", 14: "SIGALRM", 15: "SIGTERM", 16: "SIGSTKFLT",
	17: "SIGCHLD", sigCont: "SIGCONT", 28: "SIGWINCH", 29: "SIGIO", 30: "SIGPWR",
}

func bit(signals ...int) (mask uint64) {
	for _, s := range signals {
		mask |= 1 << (s - 1)
	}
	return mask
}

var (
	// kernels are the signals that the kernel itself sends: for faults, clocks,
	// children, descriptors. What may cause one is known without them. The C library
	// keeps 32 and 33 for itself.
	kernels = bit(4, 5, 6, 7, 8, 11, 13, 14, 17, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 31, 32, 33)
	// messages are those that programs send each other to say something: none of
	// them is a wish that the receiver should end.
	messages = bit(10, 12, 16, sigCont, 30) | ^(uint64(1)<<(firstRT-1) - 1)
)

// asked names the signals of a mask.
func asked(mask uint64) string {
	var list []string
	for s := 1; s <= 64; s++ {
		if mask&bit(s) != 0 && names[s] != "" {
			list = append(list, names[s])
		}
	}
	if len(list) == 0 || len(list) > 4 {
		return "a signal"
	}
	return strings.Join(list, " or ")
}

// hailed says whether a signal that another program of the user may send makes a
// process go on. Every program can send one, unless the process lives in a namespace of
// its own, where its number means nothing to others. That somebody may end a process is
// left out of account, as it always is; but one that waits for nothing else than to be
// told to end waits for that message.
func hailed(n evidence.Node, p position) string {
	if len(n.Inner) > 1 {
		return ""
	}
	if m := n.Caught & messages; m != 0 {
		return fmt.Sprintf("it has asked for %s, and another program can send that", asked(m))
	}
	signal, other := false, false
	for _, e := range p.edges {
		switch {
		case e.kind == "stopped":
			return "it was stopped, and another program can continue it"
		case e.kind == "signal":
			signal = true
		case e.idle, e.kind == "goroutine", e.what == ownLock:
		default:
			other = true
		}
	}
	if signal && !other && n.Caught&^kernels != 0 {
		return fmt.Sprintf("it waits for %s, and another program can send that", asked(n.Caught&^kernels))
	}
	return ""
}
