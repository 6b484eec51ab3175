//go:build linux

package observe

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/moby/sys/reexec"

	"prokata/checker/internal/evidence"
)

// waiters are programs that wait, each in its own way, and whether the way
// costs something.
var waiters = []struct {
	name  string
	costs bool
	wait  func()
}{
	{"spins", true, func() {
		//lint:ignore SA5002 to spin is what this process is for
		for {
		}
	}},
	{"spins and yields", true, func() {
		for {
			runtime.Gosched()
		}
	}},
	{"looks every millisecond", true, func() {
		for {
			time.Sleep(time.Millisecond)
		}
	}},
	{"looks every 10 ms", true, func() {
		for {
			time.Sleep(10 * time.Millisecond)
		}
	}},
	{"reads", false, func() { park() }},
	{"waits for a channel", false, func() { <-make(chan int) }},
	{"waits with a deadline", false, func() { <-time.After(time.Hour) }},
	{"works at first", false, func() {
		for end := time.Now().Add(80 * time.Millisecond); time.Now().Before(end); {
			runtime.GC()
		}
		<-make(chan int)
	}},
	{"has a heartbeat", false, func() {
		for {
			time.Sleep(250 * time.Millisecond)
		}
	}},
	{"ends", false, func() {}},
}

func init() {
	for _, w := range waiters {
		reexec.Register("wait/"+w.name, func() {
			fmt.Println("here")
			w.wait()
		})
	}
	reexec.Register("wait/tree", func() {
		for _, name := range os.Args[1:] {
			check(command("wait/" + name).Start())
		}
		fmt.Println("here")
		park()
	})
}

func TestWaiting(t *testing.T) {
	for _, w := range waiters {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			cmd := command("wait/" + w.name)
			start(t, cmd)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			burns := Waiting(ctx, []int{cmd.Process.Pid})
			if len(burns) != 1 {
				t.Fatalf("no verdict: %+v", burns)
			}
			if b := burns[0]; b.Active() != w.costs {
				t.Errorf("active is %v: %+v", b.Active(), b)
			}
		})
	}
}

func TestMeter(t *testing.T) {
	cmd := command("wait/tree", "spins", "looks every millisecond", "reads")
	start(t, cmd)
	defer endTree(cmd.Process.Pid)
	m := NewMeter(cmd.Process.Pid)
	look := func(progress uint64, d time.Duration) map[string]evidence.Burn {
		for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			m.Look(progress)
		}
		burns := make(map[string]evidence.Burn)
		for _, b := range m.Stalled() {
			burns[b.Name] = b
		}
		return burns
	}
	look(1, 300*time.Millisecond) // they come to where they stay
	burns := look(2, 800*time.Millisecond)
	if b := burns["wait/spins"]; !b.Spinning() || b.CPU == 0 {
		t.Errorf("%+v does not spin", b)
	}
	if b := burns["wait/looks every millisecond"]; b.Spinning() || !b.Active() {
		t.Errorf("%+v does not look", b)
	}
	if b := burns["wait/reads"]; b.Active() {
		t.Errorf("%+v is active", b)
	}
	m.Look(3)
	for _, b := range m.Stalled() {
		if b.Wall > 0.2 {
			t.Errorf("%+v goes on after progress", b)
		}
	}
}
