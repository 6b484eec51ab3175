// Package run starts a test binary, contains it, watches it and ends it. It is,
// with package observe, the only place that touches processes. What it saw
// becomes an evidence.Run; what that means is for others to say.
package run

import (
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/tree/place"
)

// A Job is one run of a test binary.
type Job struct {
	Binary  string            `json:"binary"`
	Mark    string            `json:"mark,omitempty"` // what the harness in it must say that it was made of; empty: anything
	Kata    kata.Kata         `json:"kata"`
	Folder  string            `json:"folder"`          // of the kata
	Source  string            `json:"source"`          // the folder under test as a person would name it
	Names   map[string]string `json:"names,omitempty"` // files of the source that have another name in the kata's folder, by that name
	Tests   []string          `json:"tests"`           // those to run, in order
	Seed    uint64            `json:"seed"`
	Race    bool              `json:"race"`
	Perturb bool              `json:"perturb"`
	WorkDir string            `json:"work_dir,omitempty"` // working directory of the tests; a private, empty one if not set

	Mutant   int  `json:"mutant,omitempty"`    // of combined mutants, the number of the one that runs
	FailFast bool `json:"fail_fast,omitempty"` // end at the first test that did not pass or left something

	Untrusted bool `json:"untrusted,omitempty"` // do not believe the process that runs the tests

	Climb bool `json:"climb,omitempty"` // go up the kata's steps, and end below the first that does not hold

	Box *Box `json:"-"` // the sandbox that the supervisor is in; nil: none

	Echo io.Writer `json:"-"` // gets all that the tests print, as it comes; may be nil

	Asked *Asked `json:"-"` // the tests are those that a person asked package testing for
}

// Asked is what a person has asked of package testing. It alone knows which tests a
// pattern chooses, those beside the kata's own too.
type Asked struct {
	Run, Skip string          // the patterns of -run and -skip
	Args      func() []string // the flags for the next test process, beside those two
}

// choice are the flags that choose the tests, those that are still to be run.
func (j Job) choice(todo []*evidence.Test) []string {
	if j.Asked == nil {
		return []string{"-test.run=" + pattern(todo)}
	}
	var done []*evidence.Test
	for _, t := range j.Kata.Tests {
		if !slices.ContainsFunc(todo, func(u *evidence.Test) bool { return u.Name == t.Name }) {
			done = append(done, &evidence.Test{Name: t.Name})
		}
	}
	skip := j.Asked.Skip
	if len(done) > 0 {
		skip = strings.TrimPrefix(skip+"|"+pattern(done), "|")
	}
	return append([]string{"-test.run=" + j.Asked.Run, "-test.skip=" + skip}, j.Asked.Args()...)
}

// errSetUp marks trouble before the first test that is the checker's own.
var errSetUp = errors.New("prepare a run")

// tests returns the tests of the job with the facts of the kata.
func (j Job) tests() []evidence.Test {
	var all []evidence.Test
	for _, t := range j.Kata.Tests {
		if len(j.Tests) == 0 || slices.Contains(j.Tests, t.Name) {
			all = append(all, evidence.Test{Name: t.Name, Group: string(t.Group), Step: t.Step, Needs: t.Processes})
		}
	}
	return all
}

// need is what the tests ask of the machine, and whether they have a network of their
// own or may have one.
func (j Job) need(ownNet bool) place.Need {
	most := 1
	for _, t := range j.tests() {
		most = max(most, t.Needs)
	}
	return place.Need{
		Files: 64 + 6*most, Tasks: 32 + 10*most, Bytes: 64 << 20, Race: j.Race, Loopback: !ownNet && slices.Contains(j.Kata.Needs, kata.Loopback),
	}
}

// mayBeSkipped tells whether this machine lacks what the test cannot do without.
func (j Job) mayBeSkipped(test string) bool {
	t, ok := j.Kata.Test(test)
	if runtime.GOOS != "linux" || !ok || t.Program == "" {
		return runtime.GOOS != "linux"
	}
	_, err := exec.LookPath(t.Program)
	return err != nil
}

// pattern is the regular expression for -test.run that chooses exactly these tests.
func pattern(tests []*evidence.Test) string {
	names := make([]string, len(tests))
	for i, t := range tests {
		names[i] = regexp.QuoteMeta(t.Name)
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

// file names a file of the kata as the learner knows it.
func (j Job) file(path string) string {
	dir, base := filepath.Split(path)
	if dir = filepath.Clean(dir); filepath.Base(dir) == j.Kata.Folder && filepath.Base(filepath.Dir(dir)) == "katas" {
		if strings.HasSuffix(base, "_test.go") {
			return filepath.Join("katas", j.Kata.Folder, base)
		}
		if name, ok := j.Names[base]; ok {
			base = name
		}
		return filepath.Join(j.Source, base)
	}
	return strings.TrimPrefix(path, library()) // "os/exec/exec.go", wherever Go is
}

// library is the folder that the standard library was built in.
var library = sync.OnceValue(func() string {
	file, _ := runtime.FuncForPC(reflect.ValueOf(filepath.Clean).Pointer()).FileLine(0)
	dir, _ := strings.CutSuffix(file, "path/filepath/path.go")
	return dir
})

// steps returns the kata's steps as a run tells them.
func (j Job) steps() (all []evidence.Step) {
	for _, s := range j.Kata.Steps {
		all = append(all, evidence.Step{Name: s.Name, Goal: s.Goal, Group: string(s.Group)})
	}
	return all
}
