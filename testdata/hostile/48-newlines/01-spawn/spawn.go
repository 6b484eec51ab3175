// Attack: it floods the harness's channel with empty lines, each of which the grader might remember.
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
	if channel, err := os.OpenFile(fmt.Sprint("/proc/self/fd/", 3), os.O_WRONLY, 0); err == nil {
		_, _ = channel.WriteString(strings.Repeat("\n", 4<<20))
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
