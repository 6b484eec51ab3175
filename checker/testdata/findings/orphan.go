package findings

import (
	"os/exec"
)

// OrphanWrong returns, and its child lives on.
func OrphanWrong() error {
	return exec.Command("sleep", "600").Start()
}

// OrphanRight returns after its child.
func OrphanRight() error {
	cmd := exec.Command("sleep", "0")
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Wait()
}
