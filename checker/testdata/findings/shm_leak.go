package findings

import (
	"os"

	"prokata/checker/shm"
)

// ShmLeakWrong maps a word and never gives the memory back.
func ShmLeakWrong(f *os.File) (int64, error) {
	m, err := shm.Map(f, 1)
	if err != nil {
		return 0, err
	}
	return m.Load(0), nil
}

// ShmLeakRight unmaps it.
func ShmLeakRight(f *os.File) (n int64, err error) {
	m, err := shm.Map(f, 1)
	if err != nil {
		return 0, err
	}
	n = m.Load(0)
	return n, m.Unmap()
}
