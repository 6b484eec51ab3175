//go:build linux

package observe

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"golang.org/x/sys/unix"

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
	{"computes at first", false, func() {
		x := uint64(1)
		for used() < 1500*time.Millisecond {
			for range 1_000_000 {
				x = x*6364136223846793005 + 1442695040888963407
			}
		}
		fmt.Println(x)
		park()
	}},
	{"touches memory at first", false, func() {
		b := make([]byte, 200<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		park()
	}},
	{"decodes at first", false, func() {
		text, _ := json.Marshal(make([]string, 2_000_000))
		for used() < time.Second {
			var all []string
			check(json.Unmarshal(text, &all))
		}
		park()
	}},
	{"collects garbage, and gives it back", false, func() {
		for range 20 {
			b := make([]byte, 20<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			runtime.GC()
		}
		park()
	}},
	{"starts others at first", false, func() {
		for range 30 {
			check(command("wait/ends").Run())
		}
		park()
	}},
	{"reads a file at first, a little at a time", false, func() {
		f, err := os.Open("/proc/self/maps")
		check(err)
		b := make([]byte, 4096)
		for range 300 {
			f.ReadAt(b, 0)
			time.Sleep(11 * time.Millisecond)
		}
		park()
	}},
	{"fills memory at first, a little at a time", false, func() {
		b := make([]byte, 16<<20)
		for i := 0; i < len(b); i += 8192 {
			b[i], b[i+4096] = 1, 1
			time.Sleep(2 * time.Millisecond)
		}
		park()
	}},
	{"reads an answer again and again", true, func() {
		f, err := os.Open("/proc/loadavg")
		check(err)
		b := make([]byte, 64)
		for {
			f.ReadAt(b, 0)
			time.Sleep(5 * time.Millisecond)
		}
	}},
	{"asks a timer for the time again and again", true, func() {
		for {
			<-time.After(2 * time.Millisecond)
		}
	}},
}

// used is the processor time that this process has taken.
func used() time.Duration {
	var r unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
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

func TestRest(t *testing.T) {
	for _, w := range waiters {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			cmd := command("wait/" + w.name)
			start(t, cmd)
			r := NewRest([]int{cmd.Process.Pid}, 1)
			for r.Look() {
				time.Sleep(Step)
			}
			if b := r.Burns()[0]; b.Rested == w.costs {
				t.Errorf("rested is %v: %+v", b.Rested, b)
			} else if w.costs && b.Thread == 0 {
				t.Errorf("no thread: %+v", b)
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
