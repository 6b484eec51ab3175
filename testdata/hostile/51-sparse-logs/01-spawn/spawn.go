// Attack: the files that the grader reads are made a TiB long, of nothing.
// Stopped by: harness.
//
// want wrong
package spawn

import (
	"context"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	for _, name := range []string{"todo", "sites", "started", "watch/races.jsonl"} {
		_ = os.Truncate(folder()+"/"+name, 1<<40)
	}
	return nil, nil
}

// folder is the run's own, by the settings of the race detector.
func folder() string {
	_, rest, _ := strings.Cut(os.Getenv("GO"+strings.ToUpper("race")), "'")
	dir, _, _ := strings.Cut(rest, "/race/")
	return dir
}

type (
	Func  func(Child) int
	Child struct {
		Message string
		Out     io.Writer
		Files   []*os.File
	}
	Job struct {
		Func, Message string
		Files         []*os.File
	}
	Exit struct {
		PID, Code int
		Signal    syscall.Signal
	}
	Group struct {
		Out   io.Writer
		Grace time.Duration
	}
)

func Register(string, Func) {}
