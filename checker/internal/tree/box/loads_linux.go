package box

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// libraries are the folders in which the loader looks without being told to, of Debian
// and of Fedora.
var libraries = []string{"/lib/*-linux-gnu", "/usr/lib/*-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"}

// Programs is what a Spec is to show for programs to start: they and what they load, each
// where it is.
func Programs(paths []string) (map[string]string, error) {
	show := map[string]string{}
	for _, path := range paths {
		all, err := loads(path)
		if err != nil {
			return nil, err
		}
		for _, f := range append(all, path) {
			show[f] = f
		}
	}
	return show, nil
}

// loads lists the files that the start of a program loads: its interpreter, and the
// libraries that it and these name.
func loads(program string) (all []string, err error) {
	var folders []string
	for _, pattern := range libraries {
		found, _ := filepath.Glob(pattern)
		folders = append(folders, found...)
	}
	todo := []string{program}
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		interpreter, names, err := needs(path)
		if err != nil {
			return nil, fmt.Errorf("see what %s loads: %w", path, err)
		}
		if interpreter != "" && !slices.Contains(all, interpreter) {
			all = append(all, interpreter)
		}
		for _, name := range names {
			i := slices.IndexFunc(folders, func(dir string) bool {
				_, err := os.Stat(filepath.Join(dir, name))
				return err == nil
			})
			if i < 0 {
				return nil, fmt.Errorf("%s needs the library %s, which is in none of the usual folders", path, name)
			}
			if lib := filepath.Join(folders[i], name); !slices.Contains(all, lib) {
				all = append(all, lib)
				todo = append(todo, lib)
			}
		}
	}
	return all, nil
}

// needs reads what one file names itself. A script, or what is no ELF file, names
// nothing.
func needs(path string) (interpreter string, names []string, err error) {
	f, err := elf.Open(path)
	if err != nil {
		var format *elf.FormatError
		if errors.As(err, &format) {
			err = nil
		}
		return "", nil, err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		b := make([]byte, min(p.Filesz, 4096))
		if _, err := p.ReadAt(b, 0); err != nil {
			return "", nil, err
		}
		interpreter = string(b[:max(0, len(b)-1)]) // it ends with a zero
	}
	names, err = f.ImportedLibraries()
	return interpreter, names, err
}
