package findings

import (
	"os/exec"
)

// ZombieWrong ends its child and forgets it.
func ZombieWrong() error {
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Kill()
}

// ZombieRight asks how its child has ended.
func ZombieRight() error {
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := cmd.Process.Kill(); err != nil {
		return err
	}
	_ = cmd.Wait() // it was killed, which is no news
	return nil
}
