package harness

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"

	"prokata/checker/internal/tree/wire"
)

// inherit looks whether the parent is watched, and if so starts this process
// anew with the settings that it should have had: a program may give its
// children an environment of their own, and they would be lost to the race
// detector's log and to the supervisor.
func inherit() {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", os.Getppid()))
	if err != nil {
		return
	}
	env, watched := os.Environ(), false
	for entry := range bytes.SplitSeq(b, []byte{0}) {
		name, _, _ := strings.Cut(string(entry), "=")
		switch name {
		case wire.RunEnv:
			watched = true
		case "GORACE", "TMPDIR", wire.SeedEnv, wire.WatchEnv, wire.PerturbEnv, wire.SitesEnv, wire.TodoEnv:
		default:
			continue
		}
		if _, ok := os.LookupEnv(name); !ok {
			env = append(env, string(entry))
		}
	}
	if watched {
		_ = syscall.Exec("/proc/self/exe", os.Args, env) // if it fails, the child runs unwatched, as it was
	}
}
