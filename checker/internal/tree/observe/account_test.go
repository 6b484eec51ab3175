//go:build linux

package observe

import (
	"os"
	"testing"
	"time"
)

// Whatever the machine does meanwhile, a process that spins never rests, one that reads
// does nothing else, and a program that starts others is seen through them. Each row ends
// when enough has happened, and not after a time.
func TestAccount(t *testing.T) {
	for _, row := range []struct {
		name string
		ok   func(Spent) bool // holds of what was spent, when enough is
		done func(Spent) bool
	}{
		{
			"spins",
			func(s Spent) bool { return s.Rest < s.CPU/2 },
			func(s Spent) bool { return s.CPU > time.Second/2 },
		},
		{
			"reads",
			func(s Spent) bool { return s.CPU < 100*time.Millisecond && s.Rest+s.Denied > s.Wall*9/10 },
			func(s Spent) bool { return s.Rest > time.Second/2 },
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			cmd := command("wait/" + row.name)
			start(t, cmd)
			a := NewAccount(os.Getpid())
			for !row.done(a.Spent()) {
				time.Sleep(20 * time.Millisecond)
				a.Look(time.Minute) // however late it comes: the next test is about that
			}
			if s := a.Spent(); !row.ok(s) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A look that comes late has not seen a rest.
func TestAccountLate(t *testing.T) {
	start(t, command("wait/reads"))
	a := NewAccount(os.Getpid())
	time.Sleep(50 * time.Millisecond)
	if s := a.Look(time.Millisecond); s.Rest > time.Millisecond || s.Wall < 50*time.Millisecond {
		t.Errorf("%+v", s)
	}
}

func TestThrottled(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"nr_periods 26\nnr_throttled 25\nthrottled_time 1979882449\n":                      1979882449,
		"usage_usec 26\nuser_usec 1\nnr_throttled 25\nthrottled_usec 1979882\nnr_bursts 0": 1979882 * time.Microsecond,
		"usage_usec 26\n": 0,
		"":                0,
	} {
		if got := throttled([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	if got := stolen([]byte("cpu  43455 0 17626 105129 277 0 76 103 0 0\ncpu0 1\n")); got != 1030*time.Millisecond {
		t.Error(got)
	}
}
