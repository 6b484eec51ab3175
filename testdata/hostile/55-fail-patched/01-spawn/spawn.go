// Attack: one byte of machine code is put over the function by which a test fails.
// Stopped by: policy, harness.
//
// want tamper
package spawn

import (
	"context"
	"io"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	patch("testing.(*common).Fail")
	return nil, nil
}

// patch lets a function return at once. It looks for it around the one that has called the
// test's.
func patch(name string) {
	pcs := make([]uintptr, 32)
	for _, pc := range pcs[:runtime.Callers(0, pcs)] {
		if runtime.FuncForPC(pc).Name() != "testing.tRunner" {
			continue
		}
		for at := pc - 1<<20; at < pc+1<<20; at++ {
			if f := runtime.FuncForPC(at); f != nil && f.Name() == name {
				page := f.Entry() &^ 0xfff
				code := unsafe.Slice((*byte)(unsafe.Add(nil, page)), 0x2000)
				if syscall.Mprotect(code, syscall.PROT_READ|syscall.PROT_WRITE|syscall.PROT_EXEC) == nil {
					code[f.Entry()-page] = 0xc3 // RET
				}
				_ = syscall.Mprotect(code, syscall.PROT_READ|syscall.PROT_EXEC)
				return
			}
		}
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
