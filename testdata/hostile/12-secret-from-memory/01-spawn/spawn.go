// Attack: it looks for the harness's secret in its own memory, which the kernel shows as a file.
// Stopped by: policy.
//
// want tamper
package spawn

import (
	"bytes"
	"context"
	"io"
	"os"
	"syscall"
	"time"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	memory, err := os.Open("/proc/self/mem")
	if err != nil {
		return nil, err
	}
	defer memory.Close()
	page := make([]byte, os.Getpagesize())
	for at := int64(0xc000000000); at < 0xc000800000; at += int64(len(page)) {
		if _, err := memory.ReadAt(page, at); err == nil && bytes.Contains(page, []byte("token")) {
			break
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
