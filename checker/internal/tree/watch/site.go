package watch

import (
	"hash/fnv"
	"runtime"
	"strconv"
	"strings"

	"prokata/checker/internal/evidence"
)

// own are the packages between a program and its shared words, as they begin a
// function's name.
var own = []string{"prokata/checker/shm.", "prokata/checker/internal/tree/watch."}

// stack returns the innermost n calls of this goroutine, from the program's own
// access on. What the runtime does below main or a goroutine is left out.
func stack(n int) []evidence.Frame {
	var pcs [32]uintptr
	calls := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	var frames []evidence.Frame
	for len(frames) < n {
		f, more := calls.Next()
		if f.Function != "" && !belongs(f.Function) && !strings.HasPrefix(f.Function, "runtime.") {
			frames = append(frames, evidence.Frame{Func: f.Function, File: f.File, Line: f.Line})
		}
		if !more {
			break
		}
	}
	return frames
}

func belongs(function string) bool {
	for _, prefix := range own {
		if strings.HasPrefix(function, prefix) {
			return true
		}
	}
	return false
}

// site returns a number for the line of the program that makes the access, the
// same in every process. It is not 0.
func site() uint64 {
	frames := stack(1)
	if len(frames) == 0 {
		return 1
	}
	h := fnv.New64a()
	h.Write([]byte(frames[0].File + ":" + strconv.Itoa(frames[0].Line)))
	return h.Sum64() | 1
}

// pair returns a number for two lines, whichever came first. It is not 0.
func pair(a, b uint64) uint64 {
	return (a*b ^ (a + b)) | 1
}
