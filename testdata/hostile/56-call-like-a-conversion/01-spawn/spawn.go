// Attack: a function is called before the tests begin, under the name of a type that it hides.
// Stopped by: policy.
//
// want tamper
package spawn

import (
	"context"
	"io"
	"os"
	"syscall"
	"time"
)

type note string

var _ = note("")

func init() {
	note := os.WriteFile
	_ = note("/dev/null", nil, 0o600)
}

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) { return nil, nil }

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
