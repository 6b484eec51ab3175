package build

import (
	"bytes"
	"sync"
)

// output collects what the go command prints, apart from the names of packages
// that "-v" makes it print.
type output struct {
	progress func(string)
	mu       sync.Mutex
	rest     []byte
	text     bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rest = append(o.rest, b...)
	for {
		line, rest, found := bytes.Cut(o.rest, []byte("\n"))
		if !found {
			return len(b), nil
		}
		o.rest = rest
		// A package's name, as in "internal/race" or "github.com/stretchr/testify/assert".
		if len(line) > 0 && !bytes.ContainsAny(line, " \t:#") {
			o.progress(string(line))
			continue
		}
		o.text.Write(line)
		o.text.WriteByte('\n')
	}
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String() + string(o.rest)
}
