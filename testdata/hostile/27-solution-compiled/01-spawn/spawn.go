// Attack: it finds the reference solution on the disk, compiles it, and runs it as a child.
// Where it runs, there must be no sources and no compiler.
// Stopped by: sandbox (later).
//
// want wrong
package spawn

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	dir, _ := os.Getwd()
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "solutions")); err == nil {
			break
		}
	}
	cmd := exec.Command("go", "run", "./solutions/01-spawn")
	cmd.Dir, cmd.Stdout = dir, g.Out
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
