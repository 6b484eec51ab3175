package watch

import (
	"bytes"
	"fmt"
	"os"
)

// zombie says whether the process has ended and was not waited for. It reads,
// from /proc/PID/stat:
//
//	4312 (a name) with) parens) Z 4310 …
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return os.IsNotExist(err)
	}
	i := bytes.LastIndexByte(b, ')')
	return i >= 0 && len(b) > i+2 && (b[i+2] == 'Z' || b[i+2] == 'X')
}
