package place

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// holds tells what a file system says of itself: can a program be started from there,
// and is there room.
func holds(dir string) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return err
	}
	free := int64(fs.Bavail) * fs.Bsize
	switch {
	case fs.Flags&unix.ST_RDONLY != 0:
		return errors.New("its file system is read-only")
	case fs.Flags&unix.ST_NOEXEC != 0:
		return errors.New("no program can be started from its file system (noexec)")
	case fs.Blocks > 0 && free < room: // some that are made of nothing have no blocks
		return fmt.Errorf("%d MiB are free", free>>20)
	case fs.Files > 0 && fs.Ffree < 1000:
		return fmt.Errorf("%d more files fit", fs.Ffree)
	}
	return nil
}
