package intake

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"prokata/checker/internal/source/intake"
)

func archive(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".zip") || strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tgz")
}

// archive reads the Go files of an archive. Its content decides which kind it is: names
// lie.
func (p *pile) archive(root *os.Root, at, name string) error {
	f, err := openFile(root, at)
	if err != nil {
		return broken("%s cannot be read: %v", name, intake.Reasoned(err))
	}
	defer f.Close()
	var magic [4]byte
	n, _ := f.ReadAt(magic[:], 0)
	switch info, err := f.Stat(); {
	case err != nil:
		return broken("%s cannot be read: %v", name, intake.Reasoned(err))
	case n == 0:
		return broken("%s is empty: hand it in again", name)
	case string(magic[:2]) == "PK":
		err = p.zip(f, info.Size())
		return named(name, err)
	case magic[0] == 0x1f && magic[1] == 0x8b:
		return named(name, p.tar(f))
	case string(magic[:]) == "Rar!", string(magic[:2]) == "7z":
		return broken("%s is an archive of another kind: hand in a .zip or a .tar.gz", name)
	}
	return broken("%s is neither a .zip nor a .tar.gz: hand it in again", name)
}

// named puts the archive's name before what is wrong with it.
func named(name string, err error) error {
	var b errBroken
	if errors.As(err, &b) {
		return broken("%s: %s", name, b.why)
	}
	return err
}

// zip reads the Go files of a zip. Entries that are not wanted are never unpacked, so what
// they would unpack to costs nothing; what is unpacked is bounded while it is read.
func (p *pile) zip(r io.ReaderAt, size int64) error {
	z, err := zip.NewReader(r, size)
	// Insecure names are looked at below, where each is named.
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return broken("the zip is damaged (%v): hand it in again", err)
	}
	if len(z.File) > maxEntries {
		return broken("it holds more than %d files and folders", maxEntries)
	}
	for _, f := range z.File {
		if err := p.count(); err != nil {
			return err
		}
		if err := sound(f.Name); err != nil {
			return err
		}
		if done, err := p.other(f.Name, f.Mode()); done || err != nil {
			continue
		}
		text, err := read(f)
		if err != nil {
			return broken("%q in the zip is damaged (%v): hand it in again", f.Name, err)
		}
		if err := p.keep(f.Name, text); err != nil {
			return err
		}
	}
	return nil
}

func read(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	return b, err
}

// other tells of entries that are no wanted Go files; it notes those that somebody may
// look for.
func (p *pile) other(name string, mode fs.FileMode) (done bool, _ error) {
	switch {
	case mode.IsDir():
		return true, nil
	case !mode.IsRegular():
		p.note("%q is %s and was left out", name, kind(mode))
		return true, nil
	case archive(name):
		p.note("%q is an archive inside an archive and was not opened", name)
		return true, nil
	}
	return !p.wants(name), nil
}

// tar reads the Go files of a compressed tar. Its entries can only be reached through all
// bytes before them, so all that it unpacks to is bounded.
func (p *pile) tar(r io.Reader) error {
	g, err := gzip.NewReader(r)
	if err != nil {
		return broken("the .tar.gz is damaged (%v): hand it in again", err)
	}
	bounded := &io.LimitedReader{R: g, N: maxStream}
	t := tar.NewReader(bounded)
	for {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF) && bounded.N > 0:
			return nil
		case bounded.N <= 0:
			return broken("it unpacks to more than %d MiB", maxStream>>20)
		case err != nil && !errors.Is(err, tar.ErrInsecurePath):
			return broken("the .tar.gz is damaged (%v): hand it in again", err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue // git archive's
		}
		if err := p.count(); err != nil {
			return err
		}
		name := strings.TrimPrefix(h.Name, "./")
		if name == "" {
			continue
		}
		if err := sound(name); err != nil {
			return err
		}
		mode := h.FileInfo().Mode()
		if h.Typeflag == tar.TypeLink {
			mode = fs.ModeSymlink // a hard link leads elsewhere as well
		}
		if done, _ := p.other(name, mode); done {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(t, maxFile+1))
		if err != nil {
			return broken("%q in the .tar.gz is damaged (%v): hand it in again", name, err)
		}
		if err := p.keep(name, text); err != nil {
			return err
		}
	}
}
