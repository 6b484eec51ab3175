package solutions_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	spawn "prokata/solutions/01-spawn"
)

// told is what a child says of itself.
type told struct {
	PID, Parent int
	Message     string
}

func init() {
	spawn.Register("twin-hello", func(c spawn.Child) int {
		json.NewEncoder(c.Out).Encode(told{os.Getpid(), os.Getppid(), c.Message})
		return 0
	})
	spawn.Register("twin-leave", func(c spawn.Child) int {
		code, _ := strconv.Atoi(c.Message)
		return code
	})
	spawn.Register("twin-die", func(spawn.Child) int {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	})
}

// spawnInGo is testdata/python/01_spawn.py with the solution of kata 1.
func spawnInGo(t *testing.T) any {
	var jobs []spawn.Job
	for _, m := range []string{"Ada was here", "Grace was here", "Barbara was here"} {
		jobs = append(jobs, spawn.Job{Func: "twin-hello", Message: m})
	}
	var out bytes.Buffer
	exits, err := spawn.Group{Out: &out}.Run(t.Context(), jobs...)
	require.NoError(t, err)
	messages, ours := make(map[int]string), true
	for in := json.NewDecoder(&out); in.More(); {
		var m told
		require.NoError(t, in.Decode(&m))
		messages[m.PID] = m.Message
		ours = ours && m.Parent == os.Getpid()
	}
	var inOrder []string
	for _, e := range exits {
		inOrder = append(inOrder, messages[e.PID])
	}
	failing, err := spawn.Group{Out: &out}.Run(t.Context(),
		spawn.Job{Func: "twin-leave", Message: "0"}, spawn.Job{Func: "twin-leave", Message: "8"}, spawn.Job{Func: "twin-die"})
	require.NoError(t, err)
	return map[string]any{
		"messages":                 inOrder,
		"distinct_pids":            len(messages),
		"children_of_this_process": ours,
		"exit_codes":               codes(exits),
		"failing_exit_codes":       codes(failing),
	}
}

// codes returns exit codes as Python has them: a signal is a negative number.
func codes(exits []spawn.Exit) (codes []int) {
	for _, e := range exits {
		if e.Signal != 0 {
			e.Code = -int(e.Signal)
		}
		codes = append(codes, e.Code)
	}
	return codes
}
