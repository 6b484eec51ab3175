package place

import (
	"os"
	"path/filepath"
	"syscall"
)

// Hold makes a folder in base, whose name begins with prefix, and locks it for as long as
// this process lives: the kernel gives the lock back, however the process ends. let gives
// it back before.
func Hold(base, prefix string) (dir string, let func(), err error) {
	for {
		dir, err = os.MkdirTemp(base, prefix)
		if err != nil {
			return "", nil, err
		}
		// Sweep may have come in between: then it holds the lock, or the folder is gone.
		if f := locked(dir); f != nil {
			return dir, func() { f.Close() }, nil
		}
		_ = os.Remove(dir)
	}
}

// Sweep calls remove for the folders in base whose makers held them and are gone. What
// is another user's stays.
func Sweep(base, pattern string, remove func(string) error) {
	dirs, _ := filepath.Glob(filepath.Join(base, pattern))
	for _, dir := range dirs {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() {
			continue
		}
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Geteuid() {
			continue
		}
		if f := locked(dir); f != nil {
			_ = remove(dir) // what resists is tried again by the next
			f.Close()
		}
	}
}

// locked opens the folder and locks it; nil if somebody holds it, or it is gone.
func locked(dir string) *os.File {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	here, err1 := f.Stat()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil || err1 != nil {
		f.Close()
		return nil
	}
	if now, err := os.Lstat(dir); err != nil || !os.SameFile(here, now) {
		f.Close()
		return nil
	}
	return f
}
