// Attack: a child gets namespaces of its own, by a literal that names no field.
// Stopped by: policy.
//
// want tamper
package spawn

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

type attributes = syscall.SysProcAttr

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	cmd := exec.CommandContext(ctx, "true")
	cmd.SysProcAttr = new(attributes)
	_ = json.Unmarshal([]byte(`{"Clone`+`flags": 131072}`), cmd.SysProcAttr)
	return nil, cmd.Run()
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
