//go:build linux

package observe

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/moby/sys/reexec"
)

func init() {
	// A process whose children begin and end all the time, beside some that stay for a
	// while.
	reexec.Register("churn", func() {
		fmt.Println("here")
		for range 2 {
			go func() {
				for {
					var quick []*exec.Cmd
					for range 4 {
						c := exec.Command("/bin/true")
						check(c.Start())
						quick = append(quick, c)
					}
					c := exec.Command("/bin/sleep", "0.05")
					check(c.Start())
					for _, c := range quick {
						c.Wait()
					}
					c.Wait()
				}
			}()
		}
		park()
	})
}

// TestFamily: however many come and go around it, who was there before a look and is
// there after it is never missed.
func TestFamily(t *testing.T) {
	start(t, command("churn"))
	below := func() map[int]stat {
		all, err := everybody()
		if err == nil {
			all, err = descendants(os.Getpid(), all)
		}
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	sure, compared := 0, 0
	for range 150 {
		before := below()
		all, ok := family(os.Getpid())
		if !ok {
			continue
		}
		sure++
		after := below()
		for pid, was := range before {
			if now, there := after[pid]; there && now.start == was.start && !now.ended() {
				compared++
				if _, seen := all[pid]; !seen {
					t.Fatalf("it was sure of %d processes, and had missed %d %q", len(all), pid, was.name)
				}
			}
		}
	}
	t.Logf("it was sure in %d of 150 looks, with %d processes that stayed", sure, compared)
}

// BenchmarkProcesses is what a look at a small tree costs.
func BenchmarkProcesses(b *testing.B) {
	root, _ := tree(b, "dead flock circle of 12")
	b.Run("by the lists of children", func(b *testing.B) {
		cpu(b, func() {
			if _, ok := family(root); !ok {
				b.Fatal("it was not sure")
			}
		})
	})
	b.Run("by all of the machine", func(b *testing.B) {
		cpu(b, func() {
			all, err := everybody()
			if err == nil {
				_, err = descendants(root, all)
			}
			if err != nil {
				b.Fatal(err)
			}
		})
	})
}
