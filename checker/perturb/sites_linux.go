package perturb

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// record is the value of RecordEnv; empty turns the sites off. It is set once,
// before main.
var record string

func startSites() { record = os.Getenv(RecordEnv) }

// budget is how many descriptors and mappings all sites of a process may look at
// together, at some 2 us each; after it they are no longer recorded. It is a
// number and no time, since a loaded machine must not change what is recorded.
const (
	budget = 100_000
	scan   = 10 // what to look at all costs beside each one
)

// mapping is the kind of a site that maps memory. Any other kind is what the
// target of a new descriptor begins with: "pipe:", "socket:", "/", or nothing
// for all of them.
const mapping = "map"

// Opening is the place before a statement that opens something: what is there
// now was not opened by it. Kind and site are those of Opened.
func Opening(kind, site string) {
	if record == "" || atomic.LoadInt64(&shared.cost) > budget {
		return
	}
	off()
	enter(hash(site))
	if kind == mapping {
		mappings(nil)
	} else {
		descriptors(kind, nil)
	}
	on()
}

// Opened is the place behind a statement that opens something: what is new
// since Opening, and of the kind in question, was opened by it.
func Opened(kind, site string) {
	if record == "" || atomic.LoadInt64(&shared.cost) > budget {
		return
	}
	off()
	sure := "maybe"
	if leave(hash(site)) {
		sure = "sure"
	}
	var out []byte
	note := func(kind string, number int, name string) {
		if out == nil {
			sure += "\t" + clean(caller())
		}
		out = append(out, strconv.Itoa(syscall.Getpid())+"\t"+kind+"\t"+strconv.Itoa(number)+"\t"+clean(name)+"\t"+clean(site)+"\t"+sure+"\n"...)
	}
	if kind == mapping {
		mappings(note)
	} else {
		descriptors(kind, note)
	}
	write(out)
	on()
}

// caller is who called the function that a site stands in: "FILE:LINE", in the same
// folder and no test, or nothing.
func caller() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	dir := ""
	function := ""
	for {
		f, more := frames.Next()
		slash := strings.LastIndexByte(f.File, '/')
		switch {
		case strings.HasPrefix(f.Function, "prokata/checker/perturb.") || slash < 0:
		case function == "":
			function, dir = f.Function, f.File[:slash]
		case f.File[:slash] == dir && f.Function != function && !strings.HasSuffix(f.File, "_test.go"):
			return f.File + ":" + strconv.Itoa(f.Line)
		default:
			return ""
		}
		if !more {
			return ""
		}
	}
}

// enter notes that a goroutine is about to pass a site.
func enter(site uint64) {
	atomic.AddInt32(&shared.inside[site%uint64(len(shared.inside))], 1)
	atomic.AddInt32(&shared.pending, 1)
}

// leave notes that one has passed it and tells whether no other site is being
// passed. It is called twice behind a statement with a body: there and at its
// end. A statement that a panic left stays pending; then nothing is sure.
func leave(site uint64) bool {
	inside := &shared.inside[site%uint64(len(shared.inside))]
	for n := atomic.LoadInt32(inside); n > 0; n = atomic.LoadInt32(inside) {
		if atomic.CompareAndSwapInt32(inside, n, n-1) {
			atomic.AddInt32(&shared.pending, -1)
			break
		}
	}
	return atomic.LoadInt32(&shared.pending) == 0
}

// descriptors compares the open descriptors with those known and calls note for
// the new ones whose target begins with prefix.
func descriptors(prefix string, note func(kind string, fd int, target string)) {
	dir, err := syscall.Open("/proc/self/fd", syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer syscall.Close(dir)
	looked := int64(scan)
	defer func() { atomic.AddInt64(&shared.cost, looked) }()
	var open [len(state{}.known)]bool
	buf, link := make([]byte, 8<<10), make([]byte, 1<<10)
	for {
		n, err := syscall.ReadDirent(dir, buf)
		if err != nil || n <= 0 {
			break
		}
		_, _, names := syscall.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			fd, err := strconv.Atoi(name)
			if err != nil || fd == dir || fd >= len(open) {
				continue
			}
			n, err := syscall.Readlink("/proc/self/fd/"+name, link)
			if err != nil {
				continue
			}
			open[fd] = true
			looked++
			target := string(link[:n])
			if h := hash(target); atomic.SwapUint64(&shared.known[fd], h) == h || note == nil {
				continue
			}
			if target == "anon_inode:[pidfd]" {
				if pid, ok := pidOf(name); ok {
					note(child(pid), pid, command(pid))
				}
			} else if strings.HasPrefix(target, prefix) {
				note("fd", fd, target)
			}
		}
	}
	for fd := range open {
		if !open[fd] {
			atomic.StoreUint64(&shared.known[fd], 0)
		}
	}
}

// pidOf returns the process that a pidfd stands for. Package os holds one for
// each child that it started, until somebody waits for it. A line of its
// /proc/self/fdinfo file:
//
//	Pid:	4313
func pidOf(fd string) (int, bool) {
	_, after, ok := strings.Cut(read("/proc/self/fdinfo/"+fd), "\nPid:\t")
	if !ok {
		return 0, false
	}
	after, _, _ = strings.Cut(after, "\n")
	pid, err := strconv.Atoi(after)
	return pid, err == nil && pid > 0
}

// child tells of a child whether it runs this program: its exec is over when the
// statement that started it is.
func child(pid int) string {
	own, its := make([]byte, 4<<10), make([]byte, 4<<10)
	n, err1 := syscall.Readlink("/proc/self/exe", own)
	m, err2 := syscall.Readlink("/proc/"+strconv.Itoa(pid)+"/exe", its)
	switch {
	case err1 != nil || err2 != nil || m == 0:
		return "ended"
	case string(own[:n]) != string(its[:m]):
		return "other"
	}
	return "child"
}

// command returns argument 0 of a process.
func command(pid int) string {
	name, _, _ := strings.Cut(read("/proc/"+strconv.Itoa(pid)+"/cmdline"), "\x00")
	return name
}

// mappings compares the shared mappings with those known and calls note for the
// new ones. A line of /proc/self/maps:
//
//	7f1c2a400000-7f1c2a402000 rw-s 00000000 00:1a 5	/tmp/words (deleted)
func mappings(note func(kind string, size int, path string)) {
	looked := int64(scan)
	for line := range strings.Lines(read("/proc/self/maps")) {
		looked++
		fields := strings.Fields(line)
		if len(fields) < 5 || !strings.HasSuffix(fields[1], "s") || !learn(hash(fields[0]+fields[3]+fields[4])) || note == nil {
			continue
		}
		from, to, _ := strings.Cut(fields[0], "-")
		begin, err1 := strconv.ParseUint(from, 16, 64)
		end, err2 := strconv.ParseUint(to, 16, 64)
		if err1 == nil && err2 == nil {
			note("map", int(end-begin), strings.Join(fields[5:], " "))
		}
	}
	atomic.AddInt64(&shared.cost, looked)
}

// learn puts h into the set of known mappings and tells whether it is new.
func learn(h uint64) bool {
	for i := range shared.mapped {
		slot := &shared.mapped[(h+uint64(i))%uint64(len(shared.mapped))]
		if atomic.CompareAndSwapUint64(slot, 0, h) {
			return true
		}
		if atomic.LoadUint64(slot) == h {
			return false
		}
	}
	return false // the set is full: better nothing than something wrong
}

// read returns the content of a file of /proc, or nothing.
func read(path string) string {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer syscall.Close(fd)
	var content []byte
	for buf := make([]byte, 16<<10); ; {
		n, err := syscall.Read(fd, buf)
		if err != nil || n <= 0 {
			return string(content)
		}
		content = append(content, buf[:n]...)
	}
}

// write appends to the record in one call, which is atomic between processes.
func write(lines []byte) {
	if len(lines) == 0 {
		return
	}
	fd, err := syscall.Open(record, syscall.O_WRONLY|syscall.O_APPEND|syscall.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer syscall.Close(fd)
	syscall.Write(fd, lines)
}

// clean keeps a name from breaking the line that it stands in.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return '?'
		}
		return r
	}, s)
}

// hash is FNV-1a, without the indirection of hash/fnv; never 0.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h | 1
}
