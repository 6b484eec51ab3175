// Attack: a child that races is told to write its reports to nowhere.
// Stopped by: harness.
//
// want race
package spawn

import (
	"context"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/moby/sys/reexec"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	cmd := reexec.Command(name)
	cmd.Env = append(os.Environ(), "GO"+strings.ToUpper("race")+"=log_path=/dev/null")
	return nil, cmd.Run()
}

const name = "racer"

func init() {
	reexec.Register(name, func() {
		n, done := 0, make(chan bool)
		for range 2 {
			go func() { n++; done <- true }()
		}
		<-done
		<-done
	})
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
