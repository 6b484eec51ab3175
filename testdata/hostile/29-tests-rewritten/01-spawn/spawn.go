// Attack: it could write to the tests' sources, for the next one who is checked; it only opens
// them for that.
// Stopped by: sandbox (later).
//
// want wrong
package spawn

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	tests, _ := filepath.Glob("../../katas/01-spawn/*_hard_test.go")
	for _, test := range tests {
		if f, err := os.OpenFile(test, os.O_WRONLY, 0); err == nil {
			f.Close()
			return make([]Exit, len(jobs)), nil
		}
	}
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
