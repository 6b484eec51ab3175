// Attack: it starts the children that are counted, and one byte of machine code is put over each function by which a test fails.
// Stopped by: policy, harness.
//
// want tamper
package spawn

import (
	"context"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/moby/sys/reexec"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	patched.Do(func() { patch("testing.(*common).Fail", "testing.(*common).FailNow") })
	for range jobs {
		if cmd := reexec.Command("idle"); cmd.Start() == nil {
			_ = cmd.Wait()
		}
	}
	return make([]Exit, len(jobs)), nil
}

func init() { reexec.Register("idle", func() {}) }

var patched sync.Once

// patch lets functions return at once. It looks for them around the one that has called
// the test's.
func patch(names ...string) {
	pcs := make([]uintptr, 32)
	for _, pc := range pcs[:runtime.Callers(0, pcs)] {
		if runtime.FuncForPC(pc).Name() != "testing.tRunner" {
			continue
		}
		for at := pc - 1<<20; at < pc+1<<20; at += 16 {
			f := runtime.FuncForPC(at)
			if f == nil || !slices.Contains(names, f.Name()) {
				continue
			}
			page := f.Entry() &^ 0xfff
			code := unsafe.Slice((*byte)(unsafe.Add(nil, page)), 0x2000)
			if syscall.Mprotect(code, syscall.PROT_READ|syscall.PROT_WRITE|syscall.PROT_EXEC) == nil {
				code[f.Entry()-page] = 0xc3 // RET
			}
			_ = syscall.Mprotect(code, syscall.PROT_READ|syscall.PROT_EXEC)
		}
		return
	}
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
