// Package sample makes a class of submissions from a list, for tests and for whoever wants
// to try the grader: right and wrong programs, attacks, and all that people hand in
// instead of what was asked for.
package sample

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"prokata/checker/internal/prove/flaw"
	"prokata/checker/internal/source/kata"
)

// An entry is a file of a submission, before it is written.
type entry struct {
	name string
	text []byte
	link string // it is a link to this
	fifo bool
}

// Make makes the submissions that the list names, in the folder dir. Each line of the
// list says where a submission stands (a folder with "/" behind it, an archive, a file),
// what is in it, and how it is disguised:
//
//	1004.zip: spawn solution, at work/spawn.go, crlf
func Make(root, list, dir string) error {
	katas, err := kata.All(root)
	if err != nil {
		return err
	}
	m := maker{root: root, katas: katas, in: map[string][]entry{}}
	for i, line := range strings.Split(list, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		where, what, ok := strings.Cut(line, ": ")
		if !ok {
			where, what = strings.TrimSuffix(line, ":"), ""
		}
		e, err := m.entry(what)
		if err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
		if _, known := m.in[where]; !known {
			m.order = append(m.order, where)
		}
		m.in[where] = append(m.in[where], e...)
	}
	for _, where := range m.order {
		if err := write(filepath.Join(dir, where), strings.HasSuffix(where, "/"), m.in[where]); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	return nil
}

type maker struct {
	root  string
	katas []kata.Kata
	in    map[string][]entry
	order []string
}

// entry reads "KATA SOURCE, TRANSFORM…", or one of the things that are no source.
func (m *maker) entry(what string) ([]entry, error) {
	if what == "" {
		return nil, nil
	}
	parts := strings.Split(what, ", ")
	words := strings.Fields(parts[0])
	e := entry{name: "spawn.go"}
	switch words[0] {
	case "zeros": // MiB
		n, err := strconv.Atoi(words[1])
		if err != nil {
			return nil, err
		}
		e.name, e.text = "zeros.go", make([]byte, n<<20)
	case "link":
		e.link = words[1]
	case "fifo":
		e.fifo = true
	case "text":
		e.text = []byte(strings.TrimPrefix(parts[0], "text "))
	case "many":
		n, err := strconv.Atoi(words[1])
		var all []entry
		for i := range n {
			all = append(all, entry{name: fmt.Sprintf("d/%d.txt", i)})
		}
		return all, err
	default:
		ks, err := kata.Select(m.katas, words[:1])
		if err != nil {
			return nil, err
		}
		k := ks[0]
		file, err := m.source(k, words[1:])
		if err != nil {
			return nil, err
		}
		if e.text, err = os.ReadFile(file); err != nil {
			return nil, err
		}
		e.name = k.Files[0]
	}
	for _, t := range parts[1:] {
		if err := e.disguise(t); err != nil {
			return nil, err
		}
	}
	return []entry{e}, nil
}

// source finds "solution", "stub", "flaw NAME" or "attack NAME".
func (m *maker) source(k kata.Kata, words []string) (string, error) {
	switch {
	case len(words) == 1 && words[0] == "solution":
		return filepath.Join(m.root, "solutions", k.Folder, k.Files[0]), nil
	case len(words) == 1 && words[0] == "stub":
		return filepath.Join(k.Dir, k.Files[0]), nil
	case len(words) == 2 && words[0] == "attack":
		return filepath.Join(m.root, "testdata", "hostile", words[1], k.Folder, k.Files[0]), nil
	case len(words) == 2 && words[0] == "flaw":
		dir, err := flaw.Unpack(m.root, filepath.Join(m.root, "testdata", "flawed", k.Folder, words[1]+".patch"), filepath.Join(m.root, "bin", "sample"))
		return filepath.Join(dir, k.Files[0]), err
	}
	return "", fmt.Errorf("%q is none of solution, stub, flaw NAME, attack NAME", strings.Join(words, " "))
}

func (e *entry) disguise(how string) error {
	verb, rest, _ := strings.Cut(how, " ")
	switch verb {
	case "at":
		e.name = rest
	case "crlf":
		e.text = bytes.ReplaceAll(e.text, []byte("\n"), []byte("\r\n"))
	case "bom":
		e.text = append([]byte("\xef\xbb\xbf"), e.text...)
	case "half":
		e.text = e.text[:len(e.text)/2]
	case "remark": // one that makes it another file
		e.text = append(e.text, "\n// "+rest+"\n"...)
	default:
		return fmt.Errorf("%q is no way to disguise a file", how)
	}
	return nil
}

func write(to string, folder bool, entries []entry) error {
	switch {
	case folder:
		if err := os.MkdirAll(to, 0o700); err != nil {
			return err
		}
		for _, e := range entries {
			if err := e.write(filepath.Join(to, filepath.FromSlash(e.name))); err != nil {
				return err
			}
		}
		return nil
	case strings.HasSuffix(to, ".zip") && !(len(entries) == 1 && entries[0].name == "raw"):
		return os.WriteFile(to, zipped(entries), 0o600)
	case strings.HasSuffix(to, ".tar.gz"):
		return os.WriteFile(to, tarred(entries), 0o600)
	case len(entries) == 1:
		return entries[0].write(to)
	}
	return errors.New("it is one file, and has not one content")
}

func (e entry) write(to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	switch {
	case e.fifo:
		return syscall.Mkfifo(to, 0o600)
	case e.link != "":
		return os.Symlink(e.link, to)
	}
	return os.WriteFile(to, e.text, 0o600)
}

// The archives are written into memory, where nothing goes wrong.

func zipped(entries []entry) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(0o644)
		if e.link != "" {
			h.SetMode(os.ModeSymlink | 0o777)
			e.text = []byte(e.link)
		}
		if w, err := z.CreateHeader(h); err == nil {
			_, _ = w.Write(e.text)
		}
	}
	_ = z.Close()
	return b.Bytes()
}

func tarred(entries []entry) []byte {
	var b bytes.Buffer
	g := gzip.NewWriter(&b)
	t := tar.NewWriter(g)
	for _, e := range entries {
		h := &tar.Header{Name: path.Clean(e.name), Mode: 0o644, Size: int64(len(e.text)), Typeflag: tar.TypeReg}
		if strings.Contains(e.name, "..") {
			h.Name = e.name
		}
		if e.link != "" {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, e.link, 0
		}
		if t.WriteHeader(h) == nil && e.link == "" {
			_, _ = t.Write(e.text)
		}
	}
	_ = t.Close()
	_ = g.Close()
	return b.Bytes()
}
