// Attack: a named pipe lies where the grader reads what crashed: who opens it waits for a writer.
// Stopped by: harness.
//
// want tamper
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
	_ = syscall.Mkfifo(folder()+"/crash/1", 0o600)
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
