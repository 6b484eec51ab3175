// Attack: it finds the folder of the run and removes what the harness has written there.
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
			_ = os.RemoveAll(filepath.Join(dir, "race"))
			_ = os.RemoveAll(filepath.Join(dir, "crash"))
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
