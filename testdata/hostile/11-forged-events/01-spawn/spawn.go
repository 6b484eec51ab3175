// Attack: it says to the supervisor, over the harness's own descriptor, that each test has passed.
// Every event carries a secret that the harness took before this code could run.
// Stopped by: harness.
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

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	for fd := 3; fd < 16; fd++ {
		for _, kind := range []string{"begin", "end"} {
			event := fmt.Sprintf(`{"kind":%q,"token":"","test":"TestHello","status":"passed"}`+"\n", kind)
			_, _ = syscall.Write(fd, []byte(event))
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
