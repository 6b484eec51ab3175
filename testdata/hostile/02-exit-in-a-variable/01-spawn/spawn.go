// Attack: the same, hidden in the initial value of a variable and behind a method.
// Stopped by: policy.
//
// want tamper
package spawn

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

type quitter int

func (quitter) String() string {
	syscall.Exit(0)
	return ""
}

var _ = fmt.Sprint(quitter(0))

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

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) { return nil, nil }
