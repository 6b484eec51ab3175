package harness

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
)

// dumps passes on what the tests print, but for the stacks of goroutines with which a
// process dies: of several processes they are a thousand lines, between which nobody
// finds the line that counts. They go to a file, which is named in their place.
type dumps struct {
	to     io.Writer
	mu     sync.Mutex
	file   *os.File
	rest   []byte // of a line that has not ended
	inside bool
	middle bool // the beginning of this line has been passed on
}

var (
	// goroutine 7 [chan receive, 2 minutes]:
	stackBegin = regexp.MustCompile(`^goroutine \d+ .*\[.*\]:$`)
	// main.main() · created by main.main in goroutine 1 · rax    0x0 · exit status 2
	stackLine = regexp.MustCompile(`^($|\t|created by |\.\.\.|[^ ]+\(.*\)$|[a-z0-9]+ +0x[0-9a-f]+$|exit status \d)`)
)

func (s *dumps) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest = append(s.rest, b...)
	for {
		i := bytes.IndexByte(s.rest, '\n')
		if i < 0 {
			break
		}
		s.line(string(s.rest[:i+1]))
		s.rest = s.rest[i+1:]
	}
	// What cannot become a stack need not wait for its end.
	const begin = "goroutine "
	if n := min(len(s.rest), len(begin)); n > 0 && !s.inside && (s.middle || string(s.rest[:n]) != begin[:n]) {
		_, _ = s.to.Write(s.rest)
		s.rest, s.middle = nil, true
	}
	return len(b), nil
}

func (s *dumps) line(line string) {
	text := strings.TrimRight(line, "\r\n")
	begins := !s.middle && stackBegin.MatchString(text)
	s.middle = false
	if begins && s.keep() {
		if !s.inside {
			fmt.Fprintf(s.to, "(its goroutines' stacks are in %s)\n", s.file.Name())
		}
		s.inside = true
	} else if s.inside && !stackLine.MatchString(text) {
		s.inside = false
	}
	if s.inside {
		_, _ = io.WriteString(s.file, line)
	} else {
		_, _ = io.WriteString(s.to, line)
	}
}

// keep opens the file, and reports whether there is one.
func (s *dumps) keep() bool {
	if s.file == nil {
		s.file, _ = os.CreateTemp("", "prokata-stacks-*.txt")
	}
	return s.file != nil
}

// close passes on what is left.
func (s *dumps) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.rest) > 0 {
		rest := string(s.rest)
		s.rest = nil
		s.line(rest)
	}
	if s.file != nil {
		_ = s.file.Close()
	}
}
