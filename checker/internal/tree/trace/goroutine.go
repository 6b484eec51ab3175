package trace

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"prokata/checker/internal/evidence"
)

// Goroutines reads what runtime.Stack writes when asked for all goroutines:
//
//	goroutine 22 [chan receive, 2 minutes, locked to thread]:
//	main.main.func7()
//		/src/main.go:81 +0x2c
//	created by main.main in goroutine 1
//		/src/main.go:81 +0x31a
//
// Goroutines of the runtime itself and frames inside the runtime are left out,
// as the runtime does below the traceback level of a crash.
func Goroutines(text string) ([]evidence.Goroutine, error) {
	gs, err := goroutines(text)
	if err != nil {
		return gs, fmt.Errorf("goroutines: %w", err)
	}
	return gs, nil
}

// A header begins a goroutine. gp, m and mp are there only at the traceback
// level of a crash, labels only with GODEBUG=tracebacklabels=1:
//
//	goroutine 7 gp=0xc00011c3c0 m=nil [select (durable), synctest bubble 1 labels:{"k": "v"}]:
var header = lazy(`^goroutine (\d+)(?: gp=0x([0-9a-f]+) m=\S+(?: mp=0x[0-9a-f]+)?)? \[(.*)\]:$`)

func goroutines(text string) ([]evidence.Goroutine, error) {
	var gs []evidence.Goroutine
	var errs []error
	l := &lines{rest: text}
	for {
		line, ok := l.next()
		if !ok {
			return gs, errors.Join(errs...)
		}
		m := header().FindStringSubmatch(line)
		if m == nil {
			if strings.HasPrefix(line, "goroutine ") && strings.HasSuffix(line, "]:") {
				errs = append(errs, fmt.Errorf("line %d: header %q", l.number, line))
			}
			continue // blank lines, "runtime stack:", registers, other output
		}
		id, err := strconv.Atoi(m[1])
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", l.number, err))
			continue
		}
		g := evidence.Goroutine{ID: id}
		g.Address, _ = strconv.ParseUint(m[2], 16, 64)
		g.State, g.Unreachable = state(m[3])
		if err := readStack(l, &g); err != nil {
			errs = append(errs, fmt.Errorf("line %d: goroutine %d: %w", l.number, id, err))
		}
		if id != 0 && !system(&g) { // 0 is a thread's scheduler
			gs = append(gs, g)
		}
	}
}

// state cuts the marks off a goroutine's state, and tells whether one of them says that
// nothing can ever wake it. What stands in parentheses is kept where it is part of the
// reason for waiting, as in "select (no cases)".
func state(s string) (_ string, leaked bool) {
	s, _, _ = strings.Cut(s, " labels:{")
	s, _, _ = strings.Cut(s, ", ")
	for _, mark := range []string{" (durable)", " (scan)", " (leaked)"} { // in this order, from the end
		rest, found := strings.CutSuffix(s, mark)
		s, leaked = rest, leaked || found && mark == " (leaked)"
	}
	return s, leaked
}

// readStack reads what stands between a goroutine's header and the next blank
// line. Besides frames these are:
//
//	...25 frames elided...
//	[originating from goroutine 7]:
//		goroutine running on other thread; stack unavailable
func readStack(l *lines, g *evidence.Goroutine) error {
	for {
		call, ok := l.peek()
		if !ok || call == "" || header().MatchString(call) {
			return nil
		}
		l.next()
		if strings.HasPrefix(call, "[originating from ") {
			skipStack(l) // ancestors: where the creator of the creator stood
			return nil
		}
		if strings.HasPrefix(call, "...") || strings.HasPrefix(call, "\t") {
			continue
		}
		where, _ := l.next()
		if by, ok := strings.CutPrefix(call, "created by "); ok {
			by, _, _ = strings.Cut(by, " in goroutine ")
			f, err := frame(by, where)
			if err != nil {
				return err
			}
			f.Func = by // it has no arguments to cut: "main.(*pool).start"
			g.CreatedBy = &f
			continue
		}
		f, err := frame(call, where)
		if err != nil {
			return err
		}
		if m := raw().FindStringSubmatch(call); m != nil && len(g.Frames) == 0 {
			g.Call = []uint64{number(m[1]), number(m[2]), number(m[3])}
		}
		if !hidden(f.Func) {
			g.Frames = append(g.Frames, f)
		}
	}
}

// A raw system call is the innermost frame, with its number and its arguments:
//
//	syscall.Syscall(0x0, 0x4, 0x1ae53d83efcf, 0x1)
var raw = lazy(`^(?:syscall|golang\.org/x/sys/unix|internal/runtime/syscall/linux|internal/runtime/syscall)\.(?:Raw)?Syscall6?\((0x[0-9a-f]+), (0x[0-9a-f]+), (0x[0-9a-f]+)[,)]`)

func number(s string) uint64 {
	n, _ := strconv.ParseUint(s, 0, 64)
	return n
}

func skipStack(l *lines) {
	for line, ok := l.peek(); ok && line != ""; line, ok = l.peek() {
		l.next()
	}
}

// hidden tells a function of the runtime that a program cannot have called.
func hidden(function string) bool {
	name, ok := strings.CutPrefix(function, "runtime.")
	return ok && (name == "" || name[0] < 'A' || name[0] > 'Z')
}

// system tells a goroutine that the runtime started for itself and that runs no
// finalizer or cleanup of the program.
func system(g *evidence.Goroutine) bool {
	return len(g.Frames) == 0 && g.CreatedBy != nil && strings.HasPrefix(g.CreatedBy.Func, "runtime.")
}
