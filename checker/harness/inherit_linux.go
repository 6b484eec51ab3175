package harness

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"prokata/checker/internal/tree/wire"
)

// inherit looks which settings the test process was started with, if one is among the
// ancestors of this process, and starts this process anew with them if it has others: a
// program may give its children an environment of their own, itself or through a shell,
// and they would be lost to the race detector's log and to the supervisor.
func inherit() {
	given := ofTests(os.Getppid())
	if given == nil {
		return // nobody watches, or nobody may look
	}
	env, changed := os.Environ(), false
	for name, value := range given {
		mine, has := os.LookupEnv(name)
		// These two a program may choose anew, and the last grows with each start.
		if has && (mine == value || name == "TMPDIR" || name == wire.PerturbEnv) {
			continue
		}
		// What stands last counts for some, what stands first for others.
		env = append(deleteFrom(env, name), name+"="+value)
		changed = true
	}
	if changed {
		_ = syscall.Exec("/proc/self/exe", os.Args, env) // if it fails, the child runs unwatched, as it was
	}
}

func deleteFrom(env []string, name string) (kept []string) {
	for _, e := range env {
		if !strings.HasPrefix(e, name+"=") {
			kept = append(kept, e)
		}
	}
	return kept
}

// ofTests returns the settings of the test process among a process and its ancestors: of
// the topmost that was started as one, since a process below it can be given anything.
func ofTests(pid int) (settings map[string]string) {
	const deepest = 64
	for range deepest {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil {
			return settings
		}
		found, tests := map[string]string{}, false
		for entry := range bytes.SplitSeq(b, []byte{0}) {
			name, value, _ := strings.Cut(string(entry), "=")
			switch name {
			case wire.RoleEnv:
				tests = value == "tests"
			case "GORACE", "TMPDIR", wire.RunEnv, wire.SeedEnv, wire.WatchEnv, wire.PerturbEnv, wire.SitesEnv, wire.TodoEnv:
				found[name] = value
			}
		}
		if tests && found[wire.RunEnv] != "" {
			settings = found
		}
		if pid = parentOf(pid); pid <= 1 {
			break
		}
	}
	return settings
}

// parentOf reads the fourth field of /proc/PID/stat: "4312 (spawn.test) S 4300 …".
func parentOf(pid int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(string(fields[1]))
	return n
}
