package findings

import (
	"errors"
	"os"
	"os/exec"

	"github.com/moby/sys/reexec"

	"prokata/checker/shm"
)

const times = 50_000

func init() {
	reexec.Register("shared-race-wrong", func() {
		count(func(m *shm.Memory) { m.Store(0, m.Load(0)+1) })
	})
	reexec.Register("shared-race-right", func() {
		count(func(m *shm.Memory) { m.Add(0, 1) })
	})
}

// count adds to the word in the file that this process has as its standard input.
func count(add func(*shm.Memory)) {
	m, err := shm.Map(os.Stdin, 1)
	if err != nil {
		panic(err)
	}
	for range times {
		add(m)
	}
	_ = m.Unmap()
}

// SharedRaceWrong lets two processes read a word and write it, each for itself.
func SharedRaceWrong(f *os.File) error { return twice("shared-race-wrong", f) }

// SharedRaceRight lets them add to it in one step.
func SharedRaceRight(f *os.File) error { return twice("shared-race-right", f) }

// twice runs two children side by side.
func twice(name string, f *os.File) error {
	var children [2]*exec.Cmd
	for i := range children {
		children[i] = reexec.Command(name)
		children[i].Stdin = f
		if err := children[i].Start(); err != nil {
			return err
		}
	}
	return errors.Join(children[0].Wait(), children[1].Wait())
}
