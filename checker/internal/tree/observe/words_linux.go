package observe

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
)

// word adds the memory in which a thread waits for a word, if others share it.
func (l *look) word(n *node, t *evidence.Thread, addr uint64) {
	for _, m := range n.mappings() {
		if !m.shared || addr < m.start || m.end <= addr {
			continue
		}
		path := strings.TrimSuffix(m.path, " (deleted)")
		if t.Memory == "" {
			t.Memory, t.Path = m.file, path
		} else if t.Memory != m.file {
			t.Also = append(t.Also, evidence.Memory{File: m.file, Path: path})
		}
		switch {
		case strings.HasPrefix(m.path, "/SYSV"): // of shmget(2): always "deleted"
			if !n.ipc {
				t.Stranger = "another program can reach its memory by its key"
			}
		case path == m.path && l.namedOutside(n, path):
			t.Stranger = "another program can map " + path
		}
	}
}

// words reads the words of futex_waitv(2), an array of
//
//	struct futex_waitv { __u64 val, uaddr; __u32 flags, __reserved; };
func (l *look) words(n *node, t *evidence.Thread, b blocked) {
	const size, private, most = 24, 128, 128
	count := b.args[1]
	list := make([]byte, size*min(count, most))
	if count == 0 || count > most || !peek(n.PID, b.args[0], list) {
		n.doubt("what it waits for could not be read")
		return
	}
	for ; len(list) > 0; list = list[size:] {
		if binary.NativeEndian.Uint32(list[16:])&private == 0 {
			l.word(n, t, binary.NativeEndian.Uint64(list[8:]))
		}
	}
}

// opening looks at a thread that sleeps in open(2): until a FIFO has its other end,
// or in something that nobody can judge.
func (l *look) opening(n *node, t *evidence.Thread, b blocked) {
	at, addr := int32(unix.AT_FDCWD), b.args[0]
	if t.Call == "openat" {
		at, addr = int32(b.args[0]), b.args[1]
	}
	dir := "/proc/" + strconv.Itoa(n.PID)
	path, ok := peekString(n.PID, addr)
	switch {
	case !ok:
	case filepath.IsAbs(path):
		path = dir + "/root" + path
	case at == unix.AT_FDCWD:
		path = dir + "/cwd/" + path
	default:
		path = dir + "/fd/" + strconv.Itoa(int(at)) + "/" + path
	}
	var s unix.Stat_t
	if !ok || unix.Stat(path, &s) != nil || s.Mode&unix.S_IFMT != unix.S_IFIFO {
		t.Call = "open of something that nobody can judge"
		return
	}
	t.Path = resolve(path)
	if l.reachable(n, t.Path, &s) {
		t.Stranger = "another program can open " + t.Path
	}
}

// resolve names a file without symbolic links, and without the way over /proc.
func resolve(path string) string {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0) // no FIFO waits for this
	if err != nil {
		return path
	}
	defer unix.Close(fd)
	buf := make([]byte, unix.PathMax)
	k, err := unix.Readlink("/proc/self/fd/"+strconv.Itoa(fd), buf)
	if err != nil {
		return path
	}
	return string(buf[:k])
}

// peekString reads a string that ends with a zero.
func peekString(pid int, addr uint64) (string, bool) {
	var all []byte
	// Never over the end of a page, behind which there may be nothing.
	for len(all) < unix.PathMax {
		b := make([]byte, 256-addr%256)
		if !peek(pid, addr, b) {
			return "", false
		}
		if end := bytes.IndexByte(b, 0); end >= 0 {
			return string(append(all, b[:end]...)), true
		}
		all = append(all, b...)
		addr += uint64(len(b))
	}
	return "", false
}

// wantedSignals reads which signals a Go program has asked for. The thread that hands
// them on waits for the first word of the runtime's
//
//	var sig struct { note note; mask, wanted, ignored, recv [3]uint32; … }
//
// of runtime/sigqueue.go, in which signal s is bit s.
func wantedSignals(pid int, note uint64) uint64 {
	const noteSize, maskSize = 8, 12
	var b [12]byte
	if !peek(pid, note+noteSize+maskSize, b[:]) {
		return ^uint64(0)
	}
	low, high := binary.NativeEndian.Uint64(b[:]), binary.NativeEndian.Uint32(b[8:])
	return low>>1 | uint64(high)<<63
}
