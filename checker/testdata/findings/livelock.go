package findings

import (
	"errors"
	"io"
	"os"
	"os/exec"

	"github.com/moby/sys/reexec"
)

func init() {
	reexec.Register("livelock-wrong", func() { pass(func(mine, _ byte) byte { return 1 - mine }) })
	reexec.Register("livelock-right", func() {
		pass(func(mine, first byte) byte {
			if first == 1 {
				return mine // the other one steps aside
			}
			return 1 - mine
		})
	})
}

// pass meets another process in a corridor: as long as both are on one side, each steps
// aside as it likes. Argument 1 says who is first.
func pass(aside func(mine, first byte) byte) {
	mine, first := byte(0), os.Args[1][0]-'0'
	for {
		if _, err := os.Stdout.Write([]byte{mine}); err != nil {
			return
		}
		var theirs [1]byte
		if _, err := io.ReadFull(os.Stdin, theirs[:]); err != nil || theirs[0] != mine {
			return
		}
		mine = aside(mine, first)
	}
}

// LivelockWrong has two polite children: both step aside, at the same time, again and
// again.
func LivelockWrong() error { return corridor("livelock-wrong") }

// LivelockRight has an order: one of them stays where it is.
func LivelockRight() error { return corridor("livelock-right") }

// corridor lets two children see each other's side.
func corridor(name string) error {
	var cmds [2]*exec.Cmd
	for i := range cmds {
		cmds[i] = reexec.Command(name, string(rune('0'+i)))
	}
	for i := range cmds {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		defer r.Close()
		defer w.Close()
		cmds[i].Stdout, cmds[1-i].Stdin = w, r
	}
	return errors.Join(cmds[0].Start(), cmds[1].Start(), cmds[0].Wait(), cmds[1].Wait())
}
