package solutions_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/require"

	event "prokata/solutions/06-event"
)

const rounds = 1000

func init() {
	reexec.Register("twin-worker", func() {
		done, err := event.OpenSetter("done")
		check(err)
		sum := 0
		for i := range 1001 {
			sum += i * i
		}
		fmt.Println(sum)
		check(done.Set())
	})
	reexec.Register("twin-waiter", func() {
		start, err := event.OpenWaiter("start")
		check(err)
		check(start.Wait(context.Background()))
	})
	reexec.Register("twin-partner", func() {
		ping, err := event.OpenWaiter("ping")
		check(err)
		pong, err := event.OpenSetter("pong")
		check(err)
		for range rounds {
			check(ping.Wait(context.Background()))
			check(ping.Clear())
			check(pong.Set())
		}
	})
}

// eventInGo is testdata/python/06_event.py with the solution of kata 6.
func eventInGo(t *testing.T) any {
	done, set := newEvent(t)
	unset, err := done.IsSet()
	require.NoError(t, err)
	brief, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	timedOut := errors.Is(done.Wait(brief), context.DeadlineExceeded)
	var out bytes.Buffer
	child := reexec.Command("twin-worker")
	child.Stdout, child.Stderr = &out, os.Stderr
	set.Pass(child, "done")
	require.NoError(t, child.Start())
	woken := done.Wait(t.Context())
	require.NoError(t, child.Wait())
	work, err := strconv.Atoi(strings.TrimSpace(out.String()))
	require.NoError(t, err)
	stays, err := done.IsSet()
	require.NoError(t, err)
	require.NoError(t, done.Clear())
	still, err := done.IsSet()
	require.NoError(t, err)

	start, begin := newEvent(t)
	var waiters []*exec.Cmd
	for range 4 {
		waiter := reexec.Command("twin-waiter")
		waiter.Stderr = os.Stderr
		start.Pass(waiter, "start")
		require.NoError(t, waiter.Start())
		waiters = append(waiters, waiter)
	}
	require.NoError(t, begin.Set())
	wokenWaiters := 0
	for _, waiter := range waiters {
		if waiter.Wait() == nil {
			wokenWaiters++
		}
	}
	return map[string]any{
		"unset_at_first": !unset,
		"woken":          woken == nil,
		"work":           work,
		"stays_set":      stays,
		"cleared":        !still,
		"timed_out":      timedOut,
		"waiters_woken":  wokenWaiters,
		"rounds":         play(t),
	}
}

// play plays ping and pong with a child, and returns the number of rounds.
func play(t *testing.T) (played int) {
	pingWait, ping := newEvent(t)
	pong, pongSet := newEvent(t)
	partner := reexec.Command("twin-partner")
	partner.Stderr = os.Stderr
	pingWait.Pass(partner, "ping")
	pongSet.Pass(partner, "pong")
	require.NoError(t, partner.Start())
	for range rounds {
		require.NoError(t, ping.Set())
		require.NoError(t, pong.Wait(t.Context()))
		require.NoError(t, pong.Clear())
		played++
	}
	require.NoError(t, partner.Wait())
	return played
}

// newEvent returns an event that is closed at the end of the test.
func newEvent(t *testing.T) (*event.Waiter, *event.Setter) {
	t.Helper()
	w, s, err := event.New()
	require.NoError(t, err)
	t.Cleanup(func() {
		w.Close()
		s.Close()
	})
	return w, s
}
