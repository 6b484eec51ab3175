//go:build !linux

package async_test

import (
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// awaitDeath waits until the process is gone, or a zombie.
func awaitDeath(pid int) {
	for {
		state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
		if err != nil || strings.HasPrefix(strings.TrimSpace(string(state)), "Z") {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
