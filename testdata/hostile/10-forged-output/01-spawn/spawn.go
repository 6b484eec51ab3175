// Attack: it prints what the tests would print if they passed, and ends.
// Stopped by: harness.
//
// want crash
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
	for _, test := range []string{"TestHello", "TestExitCodes", "TestManyChildren"} {
		fmt.Printf("\x16=== RUN   %s\n\x16--- PASS: %[1]s (0.00s)\n", test)
	}
	fmt.Println("PASS")
	os.Exit(0)
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
