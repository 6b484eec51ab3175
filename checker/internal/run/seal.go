package run

import (
	"fmt"
	"io/fs"
	"os"

	"prokata/checker/internal/wire"
)

// A sealed file or folder is one that the harness of each process writes to and that
// the program under test must leave alone. It is held open, so that the file system
// cannot give its number to another one that is put in its place.
type sealed struct {
	name string
	file *os.File
	info fs.FileInfo
	read func() int64 // of a file that only grows: how much of it has been read
}

// holds says what would be lost with each.
var holds = map[string]string{
	".":               "all that the harness writes",
	wire.RaceDir:      "what the race detector reports",
	wire.CrashDir:     "what crashes print",
	wire.WatchDir:     "races on shared memory",
	wire.TodoFile:     "unwritten functions that were called",
	wire.ChildFile:    "the children that have begun",
	wire.SitesFile:    "where things were opened",
	wire.ProgressFile: "the progress of the tests",
}

// sealAll notes what the folder looks like before a program runs that could change it.
func (p *private) sealAll() error {
	grown := map[string]*int64{wire.ChildFile: &p.started, wire.TodoFile: &p.todo, wire.SitesFile: &p.sites}
	for _, name := range []string{
		".", wire.RaceDir, wire.CrashDir, wire.WatchDir, wire.TodoFile, wire.ChildFile, wire.SitesFile, wire.ProgressFile,
	} {
		f, err := os.Open(p.path(name))
		if err != nil {
			return err
		}
		s := sealed{name: name, file: f, read: func() int64 { return 0 }}
		if n := grown[name]; n != nil {
			s.read = func() int64 { return *n }
		}
		p.seal = append(p.seal, s)
		if p.seal[len(p.seal)-1].info, err = f.Stat(); err != nil {
			return err
		}
	}
	return nil
}

// broken says what of the folder is no longer what it was, a line each: from then on
// what a program did wrong could not be seen.
func (p *private) broken() []string {
	var all []string
	for _, s := range p.seal {
		now, err := os.Lstat(p.path(s.name))
		what := ""
		switch {
		case err != nil:
			what = "removed"
		case !os.SameFile(now, s.info):
			what = "replaced"
		case now.Mode() != s.info.Mode():
			what = "given other permissions"
		case now.Size() < s.read():
			what = "cut short"
		default:
			continue
		}
		name := s.name
		if name == "." {
			name = "as a whole"
		}
		all = append(all, fmt.Sprintf("the run's folder (%s) was %s: it holds %s", name, what, holds[s.name]))
	}
	return all
}
