package observe

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"prokata/checker/internal/evidence"
)

// Descriptors returns the open files of a process, in the order of their
// numbers. A process that has ended has none.
func Descriptors(pid int) ([]evidence.Descriptor, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	fds, err := numbers(dir + "/fd")
	if err != nil {
		return nil, fmt.Errorf("descriptors of %d: %w", pid, err)
	}
	slices.Sort(fds)
	list := make([]evidence.Descriptor, 0, len(fds))
	for _, fd := range fds {
		n := strconv.Itoa(fd)
		target, err := os.Readlink(dir + "/fd/" + n)
		if gone(err) { // closed meanwhile
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("descriptors of %d: %w", pid, err)
		}
		d := evidence.Descriptor{FD: fd, Target: target, PID: pid}
		if isPidfd(target) {
			if info, err := read(dir+"/fdinfo/"+n, nil); err == nil {
				// "Pid:	4312", and -1 once the process was waited for.
				d.Of = decimal(field(info, "Pid"))
			}
		}
		list = append(list, d)
	}
	return list, nil
}

// isPidfd knows both forms: kernels since 6.9 keep pidfds on a file system of
// their own.
func isPidfd(target string) bool {
	return target == "anon_inode:[pidfd]" || strings.HasPrefix(target, "pidfd:")
}

// SharedMappings returns the shared mappings of a process, in the order of
// their addresses. Memory that is shared without a file is a mapping of
// "/dev/zero (deleted)" to the kernel.
func SharedMappings(pid int) ([]evidence.Mapping, error) {
	maps, err := read("/proc/"+strconv.Itoa(pid)+"/maps", nil)
	if err != nil {
		return nil, fmt.Errorf("mappings of %d: %w", pid, err)
	}
	var list []evidence.Mapping
	for _, m := range parseMappings(maps) {
		if m.shared && m.path != "" {
			list = append(list, evidence.Mapping{Path: m.path, Bytes: int64(m.end - m.start)})
		}
	}
	return list, nil
}

// A mapping is a line of /proc/PID/maps.
type mapping struct {
	start, end uint64
	offset     uint64
	shared     bool
	file       string // device and inode: "fe:00 524307"
	path       string
}

func parseMappings(file []byte) []mapping {
	var list []mapping
	for line := range bytes.Lines(file) {
		if m, ok := parseMapping(line); ok {
			list = append(list, m)
		}
	}
	return list
}

// parseMapping reads a line such as
//
//	7f2c1a000000-7f2c1a001000 rw-s 00000000 00:19 1187                       /dev/shm/words (deleted)
//
// whose path may hold spaces, and may be missing.
func parseMapping(line []byte) (mapping, bool) {
	var f [5][]byte
	rest := bytes.TrimRight(line, "\n")
	for i := range f {
		rest = bytes.TrimLeft(rest, " ")
		f[i], rest, _ = bytes.Cut(rest, []byte(" "))
	}
	start, end, ok := bytes.Cut(f[0], []byte("-"))
	if !ok || len(f[1]) < 4 {
		return mapping{}, false
	}
	return mapping{
		start: hex(start), end: hex(end), offset: hex(f[2]), shared: f[1][3] == 's',
		file: string(f[3]) + " " + string(f[4]),
		path: string(bytes.TrimLeft(rest, " ")),
	}, true
}
