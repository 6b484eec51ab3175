package findings

import (
	"os"
)

// FdLeakWrong closes one end of its pipe.
func FdLeakWrong() error {
	_, w, err := os.Pipe()
	if err != nil {
		return err
	}
	return w.Close()
}

// FdLeakRight closes both.
func FdLeakRight() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	return w.Close()
}
