package findings

import (
	"os"
)

// FileLeakWrong leaves its file where the next start finds it.
func FileLeakWrong() error {
	f, err := os.CreateTemp("", "lock-")
	if err != nil {
		return err
	}
	return f.Close()
}

// FileLeakRight removes it.
func FileLeakRight() error {
	f, err := os.CreateTemp("", "lock-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	return f.Close()
}
