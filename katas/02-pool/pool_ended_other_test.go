//go:build !linux

package pool_test

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// waitEnded waits until a child of this process has ended, and leaves it to the
// program to wait for it.
func waitEnded(_ *testing.T, pid int) {
	for {
		state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
		if err != nil || strings.HasPrefix(string(state), "Z") {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
