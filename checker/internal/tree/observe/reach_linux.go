package observe

import (
	"bytes"
	"encoding/binary"
	hexadecimal "encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// One rule says who may come by a name. What lies in the run's own folder, in its own
// shared memory, or in namespaces of its own (network, semaphores and queues, process
// IDs) is reached by the tree alone. Everything else is open to any program of the
// machine, and a process that waits there may be woken by one that begins later.

// reachable reports whether another program can open a file of the tree by its path.
// What has no name left is reached by descriptors alone, which are searched for.
func (l *look) reachable(n *node, path string, s *unix.Stat_t) bool {
	if s.Nlink == 0 || l.in.Own {
		return false
	}
	if s.Nlink == 1 || s.Mode&unix.S_IFMT == unix.S_IFDIR { // else it has a name elsewhere, too
		if l.in.Folder != "" && strings.HasPrefix(path, l.in.Folder+"/") {
			return false
		}
		if own(path, uint64(s.Dev)) {
			return false
		}
	}
	return true
}

// own reports whether a file lies in a /dev/shm that is not the supervisor's.
func own(path string, dev uint64) bool {
	const shared = "/dev/shm"
	var here unix.Stat_t
	return strings.HasPrefix(path, shared+"/") && unix.Stat(shared, &here) == nil && uint64(here.Dev) != dev
}

// namedOutside is reachable for a file that is known by its path alone.
func (l *look) namedOutside(n *node, path string) bool {
	if !filepath.IsAbs(path) {
		return true
	}
	var s unix.Stat_t
	if unix.Stat("/proc/"+strconv.Itoa(n.PID)+"/root"+path, &s) != nil {
		return true
	}
	return l.reachable(n, path, &s)
}

// socketOutside reports whether another program can reach a unix socket by its name.
func (l *look) socketOutside(n *node, u unixSocket, private bool) bool {
	switch {
	case u.name == "":
		return false
	case u.file == 0: // an abstract name, which belongs to the network
		return !private
	}
	path := u.name
	if !filepath.IsAbs(path) {
		cwd, err := os.Readlink("/proc/" + strconv.Itoa(n.PID) + "/cwd")
		if err != nil {
			return true
		}
		path = filepath.Join(cwd, path)
	}
	root := "/proc/" + strconv.Itoa(n.PID) + "/root"
	var s unix.Stat_t
	if err := unix.Lstat(root+path, &s); err != nil || uint32(s.Ino) != u.file {
		// Nobody gets to it by that name any more, if it was this one.
		return !filepath.IsAbs(u.name)
	}
	folder, err := filepath.EvalSymlinks(root + filepath.Dir(path))
	if err != nil {
		return true
	}
	folder = strings.TrimPrefix(resolve(folder), root)
	return l.reachable(n, filepath.Join(folder, filepath.Base(path)), &s)
}

// watchesOwn reports whether all that an inotify descriptor watches is the tree's
// own. Its lines are
//
//	inotify wd:1 ino:2e4c sdev:fe00000 mask:fce ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:4c2e0000a1b2c3d4
func (l *look) watchesOwn(info []byte) bool {
	if l.in.Folder == "" {
		return false
	}
	for line := range bytes.Lines(info) {
		if bytes.HasPrefix(line, []byte("inotify wd:")) && !l.ownWatch(line) {
			return false
		}
	}
	return true
}

// ownWatch looks for the watched file without opening any folder, which would be told
// to who watches it.
func (l *look) ownWatch(line []byte) bool {
	value := func(name string) string {
		_, rest, _ := bytes.Cut(line, []byte(" "+name+":"))
		return string(firstWord(rest))
	}
	ino, dev := hex([]byte(value("ino"))), hex([]byte(value("sdev")))
	for _, path := range []string{l.in.Folder, l.in.Folder + "/tmp", l.in.Folder + "/work"} {
		var s unix.Stat_t
		if unix.Lstat(path, &s) == nil && s.Ino == ino && unix.Mkdev(uint32(dev>>20), uint32(dev&(1<<20-1))) == uint64(s.Dev) {
			return true
		}
	}
	// For the superuser the kernel finds it by the handle.
	handle, err := hexadecimal.DecodeString(value("f_handle"))
	kind, err2 := strconv.ParseInt(value("fhandle-type"), 16, 32)
	if err != nil || err2 != nil || len(handle) == 0 {
		return false
	}
	mount, err := unix.Open(l.in.Folder, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NOATIME, 0)
	if err != nil {
		return false
	}
	defer unix.Close(mount)
	fd, err := unix.OpenByHandleAt(mount, unix.NewFileHandle(int32(kind), handle), unix.O_PATH|unix.O_CLOEXEC)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var s unix.Stat_t
	if unix.Fstat(fd, &s) != nil || s.Ino != ino {
		return false
	}
	buf := make([]byte, unix.PathMax)
	k, err := unix.Readlink("/proc/self/fd/"+strconv.Itoa(fd), buf)
	return err == nil && !l.reachable(nil, string(buf[:k]), &s)
}

// backlog reports whether packets may be under way between two sockets of this
// machine: no processor has any left in the queue that /proc/net/softnet_stat counts
// in its twelfth column.
func backlog() bool {
	b, err := read("/proc/net/softnet_stat", nil)
	if err != nil {
		return true
	}
	for line := range bytes.Lines(b) {
		if f := bytes.Fields(line); len(f) < 12 || hex(f[11]) != 0 {
			return true
		}
	}
	return false
}

// nativeWords reads an attribute of 32-bit words.
func nativeWords(b []byte) []uint32 {
	var list []uint32
	for ; len(b) >= 4; b = b[4:] {
		list = append(list, binary.NativeEndian.Uint32(b))
	}
	return list
}
