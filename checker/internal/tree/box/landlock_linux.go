package box

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Rights to files, by the version of Landlock's interface that brought them: each is
// taken away everywhere, and given back where it is needed. go-landlock would do the
// same for all threads of a program; here it must be one thread alone, and its few
// calls are in golang.org/x/sys.
const (
	readRights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	allRights1 = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1 // the first thirteen
)

func rights(abi int) uint64 {
	all := uint64(allRights1)
	if abi >= 2 {
		all |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		all |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= 5 {
		all |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	return all
}

// devices are what of /dev is in a box.
var devices = []string{"null", "zero", "full", "random", "urandom"}

// landlockABI is the version of the interface; 0 is none.
func landlockABI() (int, error) {
	v, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, errno
	}
	return int(v), nil
}

// scopedABI is the first that keeps signals and abstract sockets inside.
const scopedABI = 6

// landlock takes from this thread all files but the box's own, and lets neither its
// signals nor its abstract sockets reach beyond what it starts.
func landlock(spec Spec) error {
	abi, err := landlockABI()
	if err != nil {
		return err
	}
	all := rights(abi)
	attr := unix.LandlockRulesetAttr{Handled_access_fs: all}
	size := unsafe.Sizeof(attr.Handled_access_fs)
	if abi >= scopedABI && spec.has(Scopes) {
		attr.Scoped = unix.LANDLOCK_SCOPE_SIGNAL | unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
		size = unsafe.Offsetof(attr.Quiet_access_fs) // what came later the kernel need not know
	} else if spec.has(Scopes) {
		return &LayerError{Scopes, fmt.Errorf("version %d of Landlock lets signals out, version %d would not", abi, scopedABI)}
	}
	set, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return errno
	}
	defer unix.Close(int(set))
	const device = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	give := func(path string, rights uint64) error {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		defer unix.Close(fd)
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
			rights &= device | unix.LANDLOCK_ACCESS_FS_EXECUTE // a file takes no others
		}
		under := unix.LandlockPathBeneathAttr{Allowed_access: rights & all, Parent_fd: int32(fd)}
		if _, _, errno := unix.RawSyscall6(unix.SYS_LANDLOCK_ADD_RULE, set, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&under)), 0, 0, 0); errno != 0 {
			return fmt.Errorf("%s: %w", path, errno)
		}
		return nil
	}
	// Devices and namesakes of sockets come into no folder by a program.
	writeRights := all &^ (unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV)
	for _, dir := range append(slices.Collect(maps.Values(spec.Show)), "/proc", "/etc") {
		err = errors.Join(err, give(dir, readRights))
	}
	for _, d := range devices {
		err = errors.Join(err, give("/dev/"+d, device))
	}
	for _, dir := range append(append([]string{"/tmp", "/dev/shm"}, spec.Write...), spec.Layer...) {
		err = errors.Join(err, give(dir, writeRights))
	}
	if err != nil {
		return err
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
