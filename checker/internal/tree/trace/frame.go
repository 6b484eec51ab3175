package trace

import (
	"fmt"
	"strconv"
	"strings"

	"prokata/checker/internal/evidence"
)

// A place is the second line of a frame. The offset is missing for an inlined
// call; fp, sp and pc are there only at the traceback level of a crash:
//
//	/src/katas/01-spawn/spawn.go:31 +0x25 fp=0xc000155b18 sp=0xc000155b00 pc=0x5043c5
var place = lazy(`^\s+(.+):(\d+)(?: \+0x[0-9a-f]+)?(?: fp=0x.*)?$`)

// frame makes a frame of its two lines, the call and the place.
func frame(call, where string) (evidence.Frame, error) {
	m := place().FindStringSubmatch(where)
	if m == nil {
		return evidence.Frame{}, fmt.Errorf("place %q of %q: not file:line", where, call)
	}
	line, err := strconv.Atoi(m[2])
	if err != nil {
		return evidence.Frame{}, fmt.Errorf("place %q: %w", where, err)
	}
	return evidence.Frame{Func: function(call), File: m[1], Line: line}, nil
}

// function cuts the arguments off a call. They hold no parenthesis, while the
// function's own name may:
//
//	main.(*box[...]).get(0xc000014070, {0x0?, 0x0})
func function(call string) string {
	call = strings.TrimSpace(call)
	if i := strings.LastIndexByte(call, '('); i > 0 && strings.HasSuffix(call, ")") {
		return call[:i]
	}
	return call
}

// lines walks over the lines of a text and knows where it is.
type lines struct {
	rest   string
	number int // of the line that next returned last, from 1
}

// peek returns the next line and leaves it there.
func (l *lines) peek() (string, bool) {
	if l.rest == "" {
		return "", false
	}
	line, _, _ := strings.Cut(l.rest, "\n")
	return strings.TrimSuffix(line, "\r"), true
}

// next returns the next line and moves behind it.
func (l *lines) next() (string, bool) {
	line, ok := l.peek()
	if ok {
		_, l.rest, _ = strings.Cut(l.rest, "\n")
		l.number++
	}
	return line, ok
}
