// Attack: it finds the folder of the run and puts empty folders in the place of those that the
// harness writes to, so that nothing seems to be amiss.
// Stopped by: harness.
//
// want tamper
package spawn

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	for _, entry := range os.Environ() {
		_, dir, _ := strings.Cut(entry, "=")
		if info, err := os.Stat(filepath.Join(dir, "race")); err == nil && info.IsDir() {
			for _, name := range []string{"race", "crash"} {
				_ = os.RemoveAll(filepath.Join(dir, name))
				_ = os.Mkdir(filepath.Join(dir, name), 0o700)
			}
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
