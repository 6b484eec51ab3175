// Package intake finds the submissions in a folder as a teacher has downloaded it, and
// reads from each the sources that belong to katas.
//
// Nothing is unpacked to a disk: what counts is read into memory, within bounds, and
// named by this package. A link is never followed, an archive inside an archive never
// opened. What cannot be read, or belongs to no kata, is told and never dropped.
package intake

import (
	"time"

	"prokata/checker/internal/source/kata"
)

// Bounds on one submission. A kata's source has some 200 lines; a class that hands in
// whole repositories stays far below.
const (
	maxEntries = 10_000    // files and folders, also in an archive
	maxFiles   = 200       // Go files that are kept
	maxFile    = 1 << 20   // bytes of one Go file
	maxTotal   = 8 << 20   // bytes of all Go files together
	maxStream  = 128 << 20 // bytes that an archive may unpack to
	maxDepth   = 24        // folders in one another
	maxName    = 255       // bytes of one name
)

// A Submission is what one student, or one group, has handed in at one time.
type Submission struct {
	Label string    // its name in the folder, as a person would look for it
	Who   []Who     // what the layout says of whose it is; several: a group
	Late  bool      // the layout says so
	At    time.Time // when it was handed in, as far as the layout or the file tells

	Sources []Source // by the order of the katas
	Notes   []string // what was left out, a sentence each
	Broken  string   // why nothing of it can be graded; empty if it can
}

// Who is what a layout tells of a student. It is looked up in the roster, which alone
// says who is in the class.
type Who struct {
	Kind  string // of ID: "canvas", "moodle", "gradescope", "folder"
	ID    string
	Name  string
	Email string
}

// A Source is the part of a submission that belongs to one kata.
type Source struct {
	Kata   kata.Kata
	Files  []File // by name
	Broken string // why it cannot be graded: two files of one name
}

// A File is one Go file, under the name that it has in the kata's folder.
type File struct {
	Name string
	From string // where in the submission it stood
	Text []byte
}
