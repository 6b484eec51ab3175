package observe

import (
	"debug/elf"
	"debug/gosym"
	"encoding/binary"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// A program is what is known of an executable file. The zero program is one of
// which nothing is known.
type program struct {
	isGo       bool
	fixed      bool   // not moved when it is loaded
	base       uint64 // address of its first segment in the file
	start, end uint64 // the code of the Go runtime's monitor; 0 where there is none
	recvStart  uint64 // where it waits for the signals that os/signal has asked for
	recvEnd    uint64
	unread     string // why nothing is known of it
	alarm      string // why its processes may have set an alarm, where nobody tells of those
}

// fileID tells one version of a file from another.
type fileID struct {
	dev, ino uint64
	changed  syscall.Timespec
}

// program reads a process's executable, once for each.
func (o *Observer) program(pid int) *program {
	path := "/proc/" + strconv.Itoa(pid) + "/exe"
	info, err := os.Stat(path)
	if err != nil {
		return &program{unread: "its program cannot be read"}
	}
	s := info.Sys().(*syscall.Stat_t)
	id := fileID{uint64(s.Dev), s.Ino, s.Ctim}
	if p, ok := o.programs[id]; ok {
		return p
	}
	p := readProgram(path)
	o.programs[id] = p
	return p
}

// alarms are the functions that set a timer which the kernel shows to nobody.
var alarms = []string{"alarm", "ualarm", "setitimer"}

// plain are libraries that set no such timer unless the program asks for it.
var plain = []string{
	"libc.", "libm.", "libpthread.", "libdl.", "librt.", "libgcc_s.", "libstdc++.", "libtinfo.",
	"libselinux.", "libpcre2-8.", "libacl.", "libattr.", "ld-linux", "ld-musl", "libc.musl",
}

func readProgram(path string) *program {
	f, err := elf.Open(path)
	if err != nil {
		return &program{unread: "its program is of a kind that cannot be read"}
	}
	defer f.Close()
	p := &program{fixed: f.Type == elf.ET_EXEC}
	for _, s := range f.Progs {
		if s.Type == elf.PT_LOAD {
			p.base = s.Vaddr
			break
		}
	}
	if f.Class != elf.ELFCLASS64 {
		p.unread = "its program is for another kind of processor"
		return p
	}
	if f.Section(".gopclntab") != nil {
		p.isGo = true
		p.readGo(f)
		return p
	}
	// The interval timer (setitimer(2), alarm(2)) is nowhere in /proc.
	libs, err := f.ImportedLibraries()
	if err != nil || len(libs) == 0 {
		p.alarm = "its program may have set an alarm"
	}
	for _, lib := range libs {
		if !slices.ContainsFunc(plain, func(s string) bool { return strings.HasPrefix(lib, s) }) {
			p.alarm = "its program may have set an alarm"
		}
	}
	symbols, _ := f.ImportedSymbols()
	for _, s := range symbols {
		if slices.Contains(alarms, s.Name) {
			p.alarm = "its program may have set an alarm"
		}
	}
	return p
}

// readGo looks a Go program's functions up, in the symbol table or, where that
// was stripped (as "go test" does), in the table for stack traces.
func (p *program) readGo(f *elf.File) {
	see := func(name string, start, end uint64) {
		switch name {
		case "runtime.sysmon":
			p.start, p.end = start, end
		case "os/signal.signal_recv":
			p.recvStart, p.recvEnd = start, end
		case "golang.org/x/sys/unix.Setitimer", "golang.org/x/sys/unix.Alarm":
			p.alarm = "its program may have set an alarm"
		}
	}
	if symbols, err := f.Symbols(); err == nil {
		for _, s := range symbols {
			see(s.Name, s.Value, s.Value+s.Size)
		}
		return
	}
	text := f.Section(".text")
	table, err := f.Section(".gopclntab").Data()
	if err != nil || text == nil {
		return
	}
	functions, err := gosym.NewTable(nil, gosym.NewLineTable(table, text.Addr))
	if err != nil {
		return
	}
	for _, fn := range functions.Funcs {
		see(fn.Name, fn.Entry, fn.End)
	}
}

// inMonitor reports whether a thread with this stack pointer sleeps inside the
// monitor of the Go runtime: one of the return addresses near the end of its
// stack says so. No other thread ever has one there.
func (p *program) inMonitor(pid int, sp uint64) bool { return p.under(pid, sp, p.start, p.end) }

// inNotify reports whether it sleeps until there is a signal for os/signal.
func (p *program) inNotify(pid int, sp uint64) bool { return p.under(pid, sp, p.recvStart, p.recvEnd) }

// under reports whether a function of the Go program has called what the thread
// sleeps in.
func (p *program) under(pid int, sp, start, end uint64) bool {
	if end == 0 {
		return false
	}
	var move uint64
	if !p.fixed {
		maps, err := read("/proc/"+strconv.Itoa(pid)+"/maps", nil)
		if err != nil {
			return false
		}
		exe, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
		if err != nil {
			return false
		}
		for _, m := range parseMappings(maps) {
			if m.path == exe && m.offset == 0 {
				move = m.start - p.base
				break
			}
		}
	}
	// The frames of futex, futexsleep, notetsleep and their caller are some 300 bytes.
	for _, size := range []int{1024, 512} { // the stack may end before
		b := make([]byte, size)
		if !peek(pid, sp, b) {
			continue
		}
		for ; len(b) > 0; b = b[8:] {
			if pc := binary.NativeEndian.Uint64(b) - move; start <= pc && pc < end {
				return true
			}
		}
		return false
	}
	return false
}
