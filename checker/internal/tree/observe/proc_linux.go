package observe

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// read returns the content of a file below /proc. It goes to the kernel
// directly: os.ReadFile asks for the size first and tries to poll the file,
// which doubles the cost, and the pulse reads dozens of files every time. The
// result is in buf, which grows as needed.
func read(path string, buf []byte) ([]byte, error) {
	fd, err := open(path)
	if err != nil {
		return buf[:0], &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	buf = buf[:0]
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, make([]byte, max(1024, cap(buf)))...)[:len(buf)]
		}
		n, err := unix.Read(fd, buf[len(buf):cap(buf)])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return buf[:0], &fs.PathError{Op: "read", Path: path, Err: err}
		case n == 0:
			return buf, nil
		default:
			buf = buf[:len(buf)+n]
		}
	}
}

// readLine is read for files that hold one record, which the kernel hands out
// in one piece.
func readLine(path string, buf []byte) ([]byte, error) {
	fd, err := open(path)
	if err != nil {
		return buf[:0], &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	if cap(buf) < 1024 {
		buf = make([]byte, 1024)
	}
	for {
		n, err := unix.Read(fd, buf[:cap(buf)])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return buf[:0], &fs.PathError{Op: "read", Path: path, Err: err}
		}
		return buf[:n], nil
	}
}

func open(path string) (int, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// gone reports whether err means that the process has ended meanwhile: opening
// its files says "no such file", reading an open one says "no such process".
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}

// numbers returns the entries of a directory that are numbers: processes,
// threads, descriptors.
func numbers(dir string) ([]int, error) {
	fd, err := open(dir)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(fd)
	var list []int
	buf := make([]byte, 4096)
	for {
		n, err := unix.ReadDirent(fd, buf)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return nil, &fs.PathError{Op: "read", Path: dir, Err: err}
		case n == 0:
			return list, nil
		default:
			_, _, names := unix.ParseDirent(buf[:n], -1, nil)
			for _, name := range names {
				if n, err := strconv.Atoi(name); err == nil {
					list = append(list, n)
				}
			}
		}
	}
}

// A stat is what is needed of /proc/PID/stat.
type stat struct {
	name    string // the kernel's name for it, cut to 15 bytes
	state   string
	parent  int
	session int
	flags   uint64
	start   uint64
	ticks   uint64 // of processor time, its own and that of the children it collected
	faults  uint64 // page faults of its own
	major   uint64 // those of them for which something had to be read
}

// flagExiting is PF_EXITING of the kernel's include/linux/sched.h.
const flagExiting = 0x4

// parseStat reads a line such as
//
//	4312 (my) worker) S 4300 4300 4300 34816 4300 4194560 151 0 0 0 0 0 0 0 20 0 1 0 98713 5681152 ...
//
// The name may hold spaces and parentheses, so it ends at the last one.
func parseStat(line []byte) (stat, error) {
	left, right := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if left < 0 || right < left {
		return stat{}, fmt.Errorf("no name in %q", line)
	}
	f := bytes.Fields(line[right+1:])
	if len(f) < 20 {
		return stat{}, fmt.Errorf("%d fields in %q", len(f), line)
	}
	s := stat{name: string(line[left+1 : right]), state: string(f[0])}
	var errs [6]error
	s.parent, errs[0] = strconv.Atoi(string(f[1]))
	s.session, errs[1] = strconv.Atoi(string(f[3]))
	s.flags, errs[2] = strconv.ParseUint(string(f[6]), 10, 64)
	s.start, errs[3] = strconv.ParseUint(string(f[19]), 10, 64)
	s.faults, errs[4] = strconv.ParseUint(string(f[7]), 10, 64)
	s.major, errs[5] = strconv.ParseUint(string(f[9]), 10, 64)
	for _, text := range f[11:15] {
		// The kernel scales these two pairs so that each sums up to what the scheduler
		// has counted exactly. A child's share may be negative for a moment.
		n, _ := strconv.ParseUint(string(text), 10, 64)
		s.ticks += n
	}
	return s, errors.Join(errs[:]...)
}

// field returns what follows "name:" in a file of lines such as
//
//	SigPnd:	0000000000000100
//
// (/proc/PID/status, /proc/PID/fdinfo/N), or nil.
func field(file []byte, name string) []byte {
	for line := range bytes.Lines(file) {
		if len(line) > len(name) && line[len(name)] == ':' && string(line[:len(name)]) == name {
			return bytes.TrimSpace(line[len(name)+1:])
		}
	}
	return nil
}

// hex reads a number in base 16, and nonsense as 0.
func hex(b []byte) uint64 {
	n, _ := strconv.ParseUint(string(b), 16, 64)
	return n
}

// decimal reads a number in base 10, and nonsense as -1.
func decimal(b []byte) int {
	n, err := strconv.Atoi(string(b))
	if err != nil {
		return -1
	}
	return n
}
