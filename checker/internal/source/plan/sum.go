package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// digest is a digest of the names and contents of the files.
func (p *Plan) digest() string {
	h := sha256.New()
	for _, f := range p.Taken.Files {
		fmt.Fprintf(h, "%q %d\n", f.Name, len(f.Text))
		_, _ = h.Write(f.Text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Text is the content of one of the files, as it was taken in.
func (p *Plan) Text(file string) []byte {
	for _, f := range p.Taken.Files {
		if f.Name == file {
			return f.Text
		}
	}
	return nil
}
