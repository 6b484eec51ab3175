// Attack: each test runs twice, by the arguments under another name, in the hope that the last time counts.
// Stopped by: policy, harness.
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

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) { return nil, nil }

var _ = again(os.Args)

func again(args []string) bool {
	for i, arg := range args {
		if name, ok := strings.CutSuffix(arg, ".count=1"); ok {
			args[i] = name + ".count=2"
		}
	}
	return true
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
