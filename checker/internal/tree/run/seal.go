package run

import (
	"fmt"
	"io/fs"
	"os"

	"prokata/checker/internal/tree/wire"
)

// A sealed file or folder is one that the harness of each process writes to and that
// the program under test must leave alone. It is held open, so that the file system
// cannot give its number to another one that is put in its place.
type sealed struct {
	name, holds string // holds says what would be lost with it
	file        *os.File
	info        fs.FileInfo
	grown       *growth // of a file that only grows; else nil
}

// sealAll notes what the folder looks like before a program runs that could change it.
func (p *private) sealAll() error {
	for _, s := range []sealed{
		{name: ".", holds: "all that the harness writes"},
		{name: wire.RaceDir, holds: "what the race detector reports"},
		{name: wire.CrashDir, holds: "what crashes print"},
		{name: wire.WatchDir, holds: "races on shared memory"},
		{name: wire.TodoFile, holds: "unwritten functions that were called", grown: newGrowth()},
		{name: wire.ChildFile, holds: "the children that have begun", grown: newGrowth()},
		{name: wire.SitesFile, holds: "where things were opened", grown: newGrowth()},
		{name: sharedRaces, holds: "races on shared memory", grown: newGrowth()},
		{name: wire.ProgressFile, holds: "the progress of the tests"},
	} {
		var err error
		if s.file, err = os.Open(p.path(s.name)); err != nil {
			return err
		}
		s.info, err = s.file.Stat()
		p.seal = append(p.seal, s)
		if err != nil {
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
		case s.grown != nil:
			what = s.grown.damage(s.file)
		case s.name == wire.ProgressFile && now.Size() < 8:
			what = "cut short"
		}
		if what == "" {
			continue
		}
		name := s.name
		if name == "." {
			name = "as a whole"
		}
		all = append(all, fmt.Sprintf("the run's folder (%s) was %s: it holds %s", name, what, s.holds))
	}
	p.guard.look()
	return append(all, p.guard.told...)
}

// sealed is one of them by its name, or nil.
func (p *private) sealed(name string) *sealed {
	for i := range p.seal {
		if p.seal[i].name == name {
			return &p.seal[i]
		}
	}
	return nil
}
