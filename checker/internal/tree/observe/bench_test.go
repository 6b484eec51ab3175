//go:build linux

package observe

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/tree/wakes"
)

// BenchmarkVerdict measures the time from the last process's falling asleep to
// the verdict, over all dead rows in turn (-benchtime=100x). Beside it stands what
// go test alone makes of one of them.
func BenchmarkVerdict(b *testing.B) {
	rows := slices.DeleteFunc(deadRows(), func(r row) bool {
		_, err := exec.LookPath(r.needs)
		return r.slow || r.needs != "" && err != nil
	})
	var delays []time.Duration
	for b.Loop() {
		r := rows[len(delays)%len(rows)]
		o := play(b, r, 10*time.Second)
		if problem := judge(r, o); problem != "" {
			b.Fatalf("%s: %s", r.name, problem)
		}
		delays = append(delays, o.delay)
	}
	slices.Sort(delays)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(ms(delays[len(delays)/2]), "median-ms")
	b.ReportMetric(ms(delays[len(delays)-1]), "worst-ms")
	b.ReportMetric(0, "ns/op")
	plainGo(b)
}

// tree starts a row and returns its root, once it is at rest.
func tree(b *testing.B, name string) (root int, inside Inside) {
	b.Helper()
	i := slices.IndexFunc(corpus(), func(r row) bool { return r.name == name })
	r := corpus()[i]
	var args []string
	if r.outside != nil {
		args, _ = r.outside(b)
	}
	cmd, inside := supervised(b, r, args)
	_, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{w}
	if inside.Wakes, err = wakes.Start(cmd.Start); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		endTree(cmd.Process.Pid)
		cmd.Wait()
		inside.Wakes.Close()
	})
	p := &pulse{root: cmd.Process.Pid}
	for n := 0; n < 5; {
		time.Sleep(Step)
		still, changed := p.still(evidence.Question{})
		if n++; r.dead() && (!still || changed) {
			n = 0
		}
	}
	return cmd.Process.Pid, inside
}

// cpu runs f for the benchmark and reports its processor time.
func cpu(b *testing.B, f func()) {
	b.Helper()
	used := func() time.Duration {
		var u unix.Rusage
		unix.Getrusage(unix.RUSAGE_SELF, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	f()
	before, n := used(), 0
	for b.Loop() {
		f()
		n++
	}
	b.ReportMetric(float64(used()-before)/float64(n)/1e3, "cpu-µs/op")
}

func BenchmarkPulse(b *testing.B) {
	for _, c := range []struct{ name, row string }{
		{"3 at rest", "dead flock circle of 2"},
		{"13 at rest", "dead flock circle of 12"},
		{"1 with a timer", "live timer far away"},
	} {
		b.Run(c.name, func(b *testing.B) {
			root, _ := tree(b, c.row)
			p := &pulse{root: root}
			cpu(b, func() { p.still(evidence.Question{}) })
		})
	}
}

func BenchmarkSnapshot(b *testing.B) {
	for _, c := range []struct{ name, row string }{
		{"3", "dead flock circle of 2"},
		{"13", "dead flock circle of 12"},
		{"4 with TCP", "dead manager and workers"},
	} {
		b.Run(c.name, func(b *testing.B) {
			o := New(tree(b, c.row))
			cpu(b, func() {
				if _, err := o.Snapshot(); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkWatch reports which share of a processor the watching of a tree
// takes: one that works, one that sleeps, one that waits for something outside. The
// runs with and without a timeline take turns:
//
//	%cpu             without
//	%cpu-timeline    with one
func BenchmarkWatch(b *testing.B) {
	for _, c := range []struct{ name, row string }{
		{"works", "live spinning"},
		{"sleeps", "live timer far away"},
		{"waits outside", "live inotify"},
		{"is dead", "dead flock circle of 2"},
		{"13 are dead", "dead flock circle of 12"},
	} {
		b.Run(c.name, func(b *testing.B) {
			root, inside := tree(b, c.row)
			w := Watch{
				Root:     root,
				Inside:   inside,
				Question: func() (evidence.Question, bool) { return evidence.Question{}, true },
				Decide:   detect.Dead,
				Found:    func(*evidence.Deadlock, evidence.Snapshot) {},
			}
			share := func(w Watch) int64 {
				var before, after unix.Rusage
				unix.Getrusage(unix.RUSAGE_SELF, &before)
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				w.Run(ctx)
				unix.Getrusage(unix.RUSAGE_SELF, &after)
				return after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
			}
			seeing := w
			seeing.Saw = func(Sight) {}
			var without, with int64
			n := 0
			for b.Loop() {
				without += share(w)
				with += share(seeing)
				n++
			}
			b.ReportMetric(float64(without)/float64(n)/1e9*100, "%cpu")
			b.ReportMetric(float64(with)/float64(n)/1e9*100, "%cpu-timeline")
			b.ReportMetric(0, "ns/op")
		})
	}
}
