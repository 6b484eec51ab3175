//go:build linux

package observe

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
)

// stressEnv holds the number of live runs; there are half as many dead ones.
const stressEnv = "PROKATA_STRESS"

func init() {
	reexec.Register("stress-load", func() {
		//lint:ignore SA5002 to spin is what this process is for
		for {
		}
	})
}

// TestStress plays the whole corpus again and again, several rows at a time, on
// a machine that has more to do than it can: in no live run may there be an
// alarm, and every dead one must be called.
func TestStress(t *testing.T) {
	runs, err := strconv.Atoi(os.Getenv(stressEnv))
	if err != nil {
		t.Skipf("%s is not a number of runs", stressEnv)
	}
	for range runtime.NumCPU() {
		load := command("stress-load")
		if err := load.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			load.Process.Kill()
			load.Wait()
		}()
	}
	var mu sync.Mutex
	var delays []time.Duration
	played, problems := make(map[string]int), make(map[string]int)
	play := func(rows []row, runs int) {
		rows = slices.DeleteFunc(rows, func(r row) bool {
			_, err := exec.LookPath(r.needs)
			return r.needs != "" && err != nil
		})
		work := make(chan row)
		var all sync.WaitGroup
		for range 4 * runtime.NumCPU() {
			all.Go(func() {
				for r := range work {
					limit := 30 * time.Second
					if r.endless {
						limit = 500 * time.Millisecond
					}
					o := play(t, r, limit)
					problem := judge(r, o)
					mu.Lock()
					played[strings.Fields(r.name)[0]]++
					if problem != "" {
						problems[strings.Fields(r.name)[0]]++
						t.Errorf("%s: %s", r.name, problem)
					}
					if o.dead != nil && !r.slow {
						delays = append(delays, o.delay)
					}
					mu.Unlock()
				}
			})
		}
		for i := range runs {
			work <- rows[i%len(rows)]
		}
		close(work)
		all.Wait()
	}
	began := time.Now()
	play(liveRows(), runs)
	play(deadRows(), runs/2)
	for _, kind := range slices.Sorted(maps.Keys(played)) {
		fmt.Printf("%s: %d runs, %d wrong\n", kind, played[kind], problems[kind])
	}
	if slices.Sort(delays); len(delays) > 0 {
		fmt.Printf("from quiet to the verdict, under load: median %v, 95 of 100 %v, worst %v\n", delays[len(delays)/2], delays[len(delays)*95/100], delays[len(delays)-1])
	}
	fmt.Printf("in %v\n", time.Since(began).Round(time.Second))
}
