//go:build linux

package observe

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
)

func init() {
	say := func() { fmt.Println("here") }
	reexec.Register("does-lock", func() {
		f, err := os.OpenFile(os.Args[1], os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			panic(err)
		}
		say()
		unix.Flock(int(f.Fd()), unix.LOCK_EX)
		park()
	})
	reexec.Register("does-pipe", func() { say(); park() })
	reexec.Register("does-child", func() {
		cmd := command("does-pipe")
		cmd.Stdin = os.Stdin
		cmd.Start()
		say()
		cmd.Wait()
	})
	reexec.Register("does-run", func() {
		say()
		for n := 0; ; n++ {
			if n%1e9 == 0 && os.Getppid() == 1 {
				return
			}
		}
	})
	reexec.Register("does-timer", func() { say(); time.Sleep(time.Hour) })
}

// What processes do is told by what they sleep in, and by what that is joined to; what
// runs hides nobody else from a whole look.
func TestSeer(t *testing.T) {
	lock := filepath.Join(t.TempDir(), "fork")
	mine, err := os.Create(lock)
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	if err := unix.Flock(int(mine.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	held := command("does-lock", filepath.Join(t.TempDir(), "spoon"))
	start(t, held)
	rows := []struct {
		program, kind, what string // of what is not the same each time the beginning
	}{
		{"does-lock", "lock", lock},
		{"does-pipe", "pipe", "pipe:["},
		{"does-child", "child", "pid "},
		{"does-run", "running", ""},
		{"does-timer", "timer", ""},
	}
	pids := map[int]int{}
	for i, r := range rows {
		cmd := command(r.program, lock)
		start(t, cmd)
		pids[cmd.Process.Pid] = i
	}
	// Each is to be seen as it should, by looks that end; that all were seen at once is
	// no condition.
	p := &pulse{root: os.Getpid(), seer: newSeer()}
	missing := func() string {
		for _, i := range pids {
			return rows[i].program
		}
		return ""
	}
	spoon := false
	for deadline := time.Now().Add(time.Minute); len(pids) > 0 || !spoon; {
		if time.Now().After(deadline) {
			t.Fatalf("not seen: %s; the held lock: %v; the last look: %+v", missing(), spoon, p.seer.sight)
		}
		p.seer.due = time.Time{}
		if still, _ := p.still(evidence.Question{}); still && len(pids) > 0 {
			t.Log("a tree in which one runs looked still for a moment")
		}
		for _, d := range p.seer.sight.Doings {
			i, wanted := pids[d.PID]
			if wanted && d.Kind == rows[i].kind && len(d.What) >= len(rows[i].what) && d.What[:len(rows[i].what)] == rows[i].what {
				delete(pids, d.PID)
			}
		}
		spoon = spoon || slices.ContainsFunc(p.seer.sight.Holds, func(h evidence.Hold) bool {
			return h.PID == held.Process.Pid && filepath.Base(h.Lock) == "spoon" && h.Write
		})
		time.Sleep(Step)
	}
}

// Between whole looks a tree that works costs as little as without a timeline, and a look
// that was cut short claims nothing of those that it has not come to.
func TestSeerIsFrugal(t *testing.T) {
	busy := command("does-run")
	start(t, busy)
	p := &pulse{root: os.Getpid(), seer: newSeer()}
	began := time.Now()
	p.still(evidence.Question{})
	if s := p.seer; !s.sight.Whole || s.threads == 0 || s.due.Sub(began) < time.Duration(s.threads)*price*frugal {
		t.Errorf("the first look: whole %v, %d threads, the next one after %v", s.sight.Whole, s.threads, s.due.Sub(began))
	}
	p.seer.due = time.Now().Add(time.Hour)
	for range 20 {
		p.still(evidence.Question{})
		if p.seer.sight.Whole {
			t.Fatal("a whole look before its time")
		}
		for _, d := range p.seer.sight.Doings {
			if d.Kind != "running" {
				t.Errorf("a look that stopped at the first thread says: %+v", d)
			}
		}
	}
}
