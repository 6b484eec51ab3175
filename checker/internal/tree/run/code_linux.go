package run

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// patchedCode says what a process can run that is not as its files have it: memory without
// a file that may be run, or a page of code that was written to. The kernel tells of each
// page whether it is still the file's (/proc/PID/pagemap, bit 61). The error is that it
// could not be looked at.
func patchedCode(pid int) (what string, err error) {
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return "", err
	}
	defer maps.Close()
	pages, err := os.Open(fmt.Sprintf("/proc/%d/pagemap", pid))
	if err != nil {
		return "", err
	}
	defer pages.Close()
	lines := bufio.NewScanner(maps)
	for n := 0; lines.Scan(); n++ {
		if n == mostMaps {
			return "", errors.New("it has too many mappings")
		}
		var from, to uint64
		var mode, offset, device, inode string
		// 00401000-005f3000 r-xp 00001000 fe:01 8127 /tmp/spawn.test
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s %s %s %s", &from, &to, &mode, &offset, &device, &inode); err != nil || len(mode) < 4 || mode[2] != 'x' {
			continue
		}
		if strings.HasSuffix(lines.Text(), "[vdso]") || strings.HasSuffix(lines.Text(), "[vsyscall]") {
			continue // the kernel's own
		}
		if inode == "0" {
			return "memory that belongs to no file could be run as code", nil
		}
		changed, err := written(pages, from, to)
		if err != nil {
			return "", err
		}
		if changed {
			return "the code of the program was written to", nil
		}
	}
	return "", lines.Err()
}

// mostMaps bounds the lines that are read; the kernel's own bound is 65,530.
const mostMaps = 1 << 17

// written tells whether a page between two addresses is the process's own by now.
func written(pages *os.File, from, to uint64) (bool, error) {
	const present, swapped, file = 1 << 63, 1 << 62, 1 << 61
	size := uint64(unix.Getpagesize())
	buf := make([]byte, 8*512)
	for page := from / size; page < to/size; {
		n := min(to/size-page, uint64(len(buf)/8))
		if _, err := pages.ReadAt(buf[:8*n], int64(8*page)); err != nil {
			return false, err
		}
		for i := range n {
			if e := binary.NativeEndian.Uint64(buf[8*i:]); e&(present|swapped) != 0 && e&file == 0 {
				return true, nil
			}
		}
		page += n
	}
	return false, nil
}
