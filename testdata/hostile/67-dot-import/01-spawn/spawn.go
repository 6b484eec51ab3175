// Attack: the names of a package are used without its name, which a rule could know.
// Stopped by: policy.
//
// want tamper
package spawn

import (
	"context"
	"io"
	"os"
	. "os/exec"
	"syscall"
	"time"
)

var find = LookPath

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
