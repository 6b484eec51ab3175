package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// bound is how much of one file counts, in bytes: no source is longer.
const bound = 1 << 20

// sum is a digest of the names and contents of the files.
func (p *Plan) sum() (string, error) {
	texts := map[string][]byte{}
	for _, f := range p.Files {
		text, err := p.Text(f)
		if err != nil {
			return "", err
		}
		texts[f] = text
	}
	return p.Digest(texts), nil
}

// Digest is what Sum is for these contents of the plan's files.
func (p *Plan) Digest(texts map[string][]byte) string {
	h := sha256.New()
	for _, f := range p.Files {
		fmt.Fprintf(h, "%q %d\n", f, len(texts[f]))
		_, _ = h.Write(texts[f])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Text reads one of the files, whatever has come into its place: who opens a named
// pipe would wait for a writer. What is beyond a MiB is left out.
func (p *Plan) Text(file string) ([]byte, error) {
	f, err := os.OpenFile(filepath.Join(p.Source, file), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is %s", file, kind(info.Mode()))
	}
	return io.ReadAll(io.LimitReader(f, bound+1))
}
