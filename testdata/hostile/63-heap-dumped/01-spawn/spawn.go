// Attack: the heap, with what the harness keeps in it, is written to a file that can be read.
// Stopped by: policy.
//
// want tamper
package spawn

import (
	"context"
	"io"
	"os"
	"runtime/debug"
	"syscall"
	"time"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	f, err := os.Create("heap")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	debug.WriteHeapDump(f.Fd())
	return nil, nil
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
