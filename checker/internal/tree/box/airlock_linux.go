package box

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// airlock calls f on a thread of its own that has given up what the code under test must
// not have: capabilities that could be won back, the chance of any other privilege, the
// system calls that no answer needs, and all files but those of the box. What the thread
// starts inherits that, and nothing takes it off. The thread ends with f.
//
// become says that f is to become the code itself; else it starts a child that is to
// change its user ID first, which loses the capabilities that it needs for that.
func airlock(spec Spec, become bool, f func() error) <-chan error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() && !become {
			// What the first thread gives up counts as given up by the process, who would
			// then be within reach of what it starts. While this waits, on that thread, the
			// other gets one of its own.
			done <- <-airlock(spec, become, f)
			runtime.UnlockOSThread()
			return
		}
		// Never unlocked.
		err := shed(spec, become)
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return done
}

func shed(spec Spec, become bool) error {
	if spec.has(NoCaps) {
		if err := dropCapabilities(become); err != nil {
			return &LayerError{NoCaps, err}
		}
	}
	if spec.has(NoPrivs) {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return &LayerError{NoPrivs, err}
		}
	}
	if spec.has(Landlock) {
		if err := landlock(spec); err != nil {
			return &LayerError{Landlock, err}
		}
	}
	if spec.has(Seccomp) {
		if err := filter(); err != nil {
			return &LayerError{Seccomp, err}
		}
	}
	return nil
}

// dropCapabilities leaves no capability that an exec(2) could hand on: none of the
// ambient ones, none in the bounding set.
func dropCapabilities(all bool) error {
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("clear the ambient ones: %w", err)
	}
	for c := uintptr(0); ; c++ {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err == unix.EINVAL && c > 0 {
			break // the kernel knows no more
		} else if err != nil {
			return fmt.Errorf("bound them: %w", err)
		}
	}
	if !all {
		return nil
	}
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if _, _, errno := unix.RawSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&head)), uintptr(unsafe.Pointer(&none[0])), 0); errno != 0 {
		return fmt.Errorf("drop them: %w", errno)
	}
	return nil
}
