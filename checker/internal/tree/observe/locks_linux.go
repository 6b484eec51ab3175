package observe

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"prokata/checker/internal/evidence"
)

// parseLock reads a line of /proc/locks, such as
//
//	2: FLOCK  ADVISORY  WRITE 4312 fe:00:524307 0 EOF
//	2: -> FLOCK  ADVISORY  WRITE 4313 fe:00:524307 0 EOF
//	3: OFDLCK ADVISORY  READ  -1 fe:00:524308 0 99
//
// the second of which waits for the first.
func parseLock(line []byte) (evidence.Lock, bool) {
	f := strings.Fields(string(line))
	var l evidence.Lock
	if len(f) > 1 && f[1] == "->" {
		l.Waiting = true
		f = slices.Delete(f, 1, 2)
	}
	if len(f) < 8 {
		return l, false
	}
	switch f[1] {
	case "FLOCK":
		l.Kind = "flock"
	case "POSIX":
		l.Kind = "posix"
	case "OFDLCK":
		l.Kind = "ofd"
	default: // LEASE, DELEG
		return l, false
	}
	l.Write = f[3] == "WRITE"
	l.PID = decimal([]byte(f[4]))
	l.File = f[5]
	l.Start, _ = strconv.ParseUint(f[6], 10, 64)
	l.End, _ = strconv.ParseUint(f[7], 10, 64) // 0 for "EOF"
	return l, true
}

// parseHeldLocks finds the locks that an open file holds, in lines of its
// file info such as
//
//	lock:	1: FLOCK  ADVISORY  WRITE 4312 fe:00:524307 0 EOF
func parseHeldLocks(info []byte) []evidence.Lock {
	var list []evidence.Lock
	for line := range bytes.Lines(info) {
		if rest, ok := bytes.CutPrefix(line, []byte("lock:")); ok {
			if l, ok := parseLock(rest); ok {
				list = append(list, l)
			}
		}
	}
	return list
}

// readLocks reads all locks of the system.
func readLocks() ([]evidence.Lock, error) {
	b, err := read("/proc/locks", nil)
	if err != nil {
		return nil, err
	}
	var list []evidence.Lock
	for line := range bytes.Lines(b) {
		if lock, ok := parseLock(line); ok {
			list = append(list, lock)
		}
	}
	return list, nil
}

// waitedFile names the file whose lock a thread waits for as /proc/locks names
// it, by the inode of its descriptor; "" if the kernel shows no such wish.
func (l *look) waitedFile(n *node, fd int) string {
	at := slices.Index(n.fds, fd)
	if at < 0 {
		return ""
	}
	for _, wish := range l.allLocks {
		if wish.Waiting && strings.HasSuffix(wish.File, ":"+n.inodes[at]) && (wish.PID == n.PID || wish.Kind == "ofd") {
			return wish.File
		}
	}
	return ""
}

// waitedLocks keeps the locks on files that some thread of the tree waits for, with
// every process that holds them. A lock of the kinds flock and ofd belongs to
// an open file, which several processes may share; which ones, their file
// infos say.
func (l *look) waitedLocks() []evidence.Lock {
	wanted := make(map[string]bool)
	for _, n := range l.list {
		for _, t := range n.Threads {
			if t.File != "" {
				wanted[t.File] = true
			}
		}
	}
	var list []evidence.Lock
	for _, lock := range l.allLocks {
		if !wanted[lock.File] {
			continue
		}
		if !lock.Waiting {
			for _, n := range l.list {
				if holds(n.locks, lock) {
					lock.Holders = append(lock.Holders, n.PID)
				}
			}
			lock.Outside = len(lock.Holders) == 0
		}
		list = append(list, lock)
	}
	return list
}

// holds reports whether one of the held locks is l.
func holds(held []evidence.Lock, l evidence.Lock) bool {
	return slices.ContainsFunc(held, func(h evidence.Lock) bool {
		return h.Kind == l.Kind && h.File == l.File && h.Write == l.Write &&
			h.Start == l.Start && h.End == l.End && h.PID == l.PID
	})
}
