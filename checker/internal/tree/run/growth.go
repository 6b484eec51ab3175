package run

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// What a program can write to is read with care: by a descriptor that was opened before it
// began, or else no link, no pipe, nothing of another user's, and no more than these.
const (
	mostRead  = 8 << 20 // bytes of one file at one time
	mostFiles = 4096    // of a folder in which each process has one
)

// A growth follows a file to which each process appends.
type growth struct {
	read int64 // bytes that have been read
	sum  hash.Hash
}

func newGrowth() *growth { return &growth{sum: sha256.New()} }

// news returns the whole lines that were added since the last call.
func (g *growth) news(f *os.File) []byte {
	b, _ := io.ReadAll(io.NewSectionReader(f, g.read, mostRead))
	b = b[:bytes.LastIndexByte(b, '\n')+1]
	g.read += int64(len(b))
	_, _ = g.sum.Write(b)
	return b
}

// damage says what has become of that which had been read: nothing, if it only grew.
func (g *growth) damage(f *os.File) string {
	now := sha256.New()
	n, err := io.Copy(now, io.NewSectionReader(f, 0, g.read))
	switch {
	case err != nil:
		return "made unreadable"
	case n < g.read:
		return "cut short"
	case !bytes.Equal(now.Sum(nil), g.sum.Sum(nil)):
		return "written over"
	}
	return ""
}

// readFrom reads what a file holds from an offset on, if it is a regular file of that
// user's. It waits for nobody.
func readFrom(path string, offset int64, user int) (text string, size int64, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	if !info.Mode().IsRegular() || owner(info) != user {
		return "", 0, fmt.Errorf("%s: %w", path, errStrange)
	}
	b, err := io.ReadAll(io.NewSectionReader(f, offset, mostRead))
	return string(b), info.Size(), err
}

func owner(info os.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

var errStrange = errors.New("it is no regular file of the tests' own user")

// namesIn lists a folder, up to a bound.
func namesIn(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(mostFiles + 1)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if len(names) > mostFiles {
		return nil, fmt.Errorf("%s holds more than %d files: %w", path, mostFiles, fs.ErrInvalid)
	}
	return names, nil
}
