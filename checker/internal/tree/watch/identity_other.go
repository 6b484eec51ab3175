//go:build !linux

package watch

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// identity names the file behind fd.
func identity(fd int) (string, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return "", fmt.Errorf("stat: %w", err)
	}
	return fmt.Sprintf("%d-%d", st.Dev, st.Ino), nil
}
