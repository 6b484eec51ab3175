// Attack: two goroutines race, and the report is emptied as soon as it is there.
// Stopped by: harness.
//
// want tamper
package spawn

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	n, done := 0, make(chan bool)
	for range 2 {
		go func() { n++; done <- true }()
	}
	<-done
	<-done
	_ = os.Truncate(fmt.Sprintf("%s/race/r.%d", folder(), os.Getpid()), 0)
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
