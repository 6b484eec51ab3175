package findings

import (
	"github.com/moby/sys/reexec"
)

func init() {
	reexec.Register("crash-wrong", func() {
		var count map[string]int
		count["a"] = 1
	})
	reexec.Register("crash-right", func() {
		count := map[string]int{}
		count["a"] = 1
	})
}

// CrashWrong does not look how its child ended.
func CrashWrong() error {
	_ = reexec.Command("crash-wrong").Run()
	return nil
}

// CrashRight has a child that does not crash, and tells how it ended.
func CrashRight() error {
	return reexec.Command("crash-right").Run()
}
