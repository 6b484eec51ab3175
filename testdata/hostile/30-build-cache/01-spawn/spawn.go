// Attack: it could write to the build cache, for the next one who is checked; it only opens a
// file for that.
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
	cache, _ := os.UserCacheDir()
	f, err := os.OpenFile(filepath.Join(cache, "go-build", "README"), os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	return make([]Exit, len(jobs)), f.Close()
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
