package run

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// newGuard asks the kernel to tell what happens in the folders (inotify(7)).
func newGuard(folders ...string) (*guard, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch the run's folder: %w", err)
	}
	by := map[int32]string{}
	for _, dir := range folders {
		wd, err := unix.InotifyAddWatch(fd, dir, unix.IN_MODIFY|unix.IN_DELETE|unix.IN_MOVED_FROM|unix.IN_MOVED_TO|unix.IN_ONLYDIR)
		if err != nil {
			unix.Close(fd)
			return nil, fmt.Errorf("watch the run's folder: %w", err)
		}
		by[int32(wd)] = filepath.Base(dir)
	}
	buf := make([]byte, 64<<10)
	return &guard{
		wrote: map[string]bool{},
		end:   func() { unix.Close(fd) },
		events: func() (all []folderEvent) {
			for {
				n, err := unix.Read(fd, buf)
				if err == unix.EINTR {
					continue
				}
				if n <= 0 || err != nil {
					return all
				}
				all = append(all, parseEvents(buf[:n], by)...)
			}
		},
	}, nil
}

// parseEvents reads events as inotify(7) has them: the watch, what happened, a cookie, the
// length of the name, each of 4 bytes, and the name with zeros behind it.
func parseEvents(b []byte, by map[int32]string) (all []folderEvent) {
	for len(b) >= unix.SizeofInotifyEvent {
		wd, mask, size := int32(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint32(b[4:]), binary.NativeEndian.Uint32(b[12:])
		b = b[unix.SizeofInotifyEvent:]
		name, _, _ := bytes.Cut(b[:size], []byte{0})
		b = b[size:]
		e := folderEvent{folder: by[wd], name: string(name)}
		switch {
		case mask&unix.IN_MODIFY != 0:
			e.what = "written"
		case mask&unix.IN_DELETE != 0:
			e.what = "removed"
		case mask&(unix.IN_MOVED_FROM|unix.IN_MOVED_TO) != 0:
			e.what = "moved"
		default: // the queue was full, or the folder has gone, which the seal sees
			continue
		}
		all = append(all, e)
	}
	return all
}
