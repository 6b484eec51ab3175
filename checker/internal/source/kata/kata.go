// Package kata reads a kata's folder as a value. Facts are data: they stand in
// kata.json, and a field that this package does not know is refused.
package kata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Group says what a test is for.
type Group string

// The groups of tests, in the order in which a learner meets them.
const (
	Core  Group = "core"  // the objective
	Bonus Group = "bonus" // beyond it
	Hard  Group = "hard"  // faults and limits: what a careful engineer adds
	Own   Group = "own"   // a learner's own, beside the kata's: it is run by go test, and never graded
)

// A Kata is one challenge, as its kata.json states it.
type Kata struct {
	Number     int      `json:"number"`
	Name       string   `json:"name"` // without number: "shared-memory"
	Title      string   `json:"title"`
	Teaches    string   `json:"teaches"`
	Python     string   `json:"python"` // its counterpart there
	Primitives []string `json:"primitives"`
	Files      []string `json:"files"` // what the learner edits
	Limits     Limits   `json:"limits"`
	Needs      []string `json:"needs,omitempty"` // what not every machine has: "loopback", "python3"
	Steps      []Step   `json:"steps,omitempty"` // in the order of the climb
	Tests      []Test   `json:"tests,omitempty"` // in the file only where there are no steps; else those of the steps

	Dir    string `json:"-"` // absolute path of the folder
	Folder string `json:"-"` // its name: "03-shared-memory"
}

// Loopback says that the tests use TCP on this machine.
const Loopback = "loopback"

// Python says that a test compares with Python where it is installed.
const Python = "python3"

// Limits bound one run of a kata's tests.
type Limits struct {
	Seconds   int `json:"seconds"`    // for each test: of rest, and of processor time on a usual machine
	Processes int `json:"processes"`  // alive at one moment, the test process included
	MemoryMiB int `json:"memory_mib"` // resident, of the whole tree together
	OutputMiB int `json:"output_mib"` // printed by the whole tree together
}

// A Step is one promise more than the step before it keeps. The first is the classic
// exercise as a newcomer writes it.
type Step struct {
	Name  string `json:"name"` // small letters, digits and dashes: "at-once"
	Goal  string `json:"goal"` // one sentence
	Group Group  `json:"group"`
	Tests []Test `json:"tests"` // their groups are the step's
}

// A Test is one top-level test function.
type Test struct {
	Name      string `json:"name"`
	Group     Group  `json:"group,omitempty"`
	Processes int    `json:"processes,omitempty"` // child processes that it must see, at least
	Program   string `json:"program,omitempty"`   // what it is skipped without: "python3"
	Step      int    `json:"step,omitempty"`      // of the kata's steps, from 1; 0 where there are none; never in the file
}

// Package returns the name of the kata's Go package.
func (k Kata) Package() string { return strings.ReplaceAll(k.Name, "-", "") }

// Test returns the test of that name, and false if there is none.
func (k Kata) Test(name string) (Test, bool) {
	i := slices.IndexFunc(k.Tests, func(t Test) bool { return t.Name == name })
	if i < 0 {
		return Test{}, false
	}
	return k.Tests[i], true
}

// Real returns the path without symbolic links, absolute. A relative one is below the
// working directory as the kernel knows it, whatever $PWD says: the go command finds
// its files by that path, and what is handed to it under another one is not used.
func Real(path string) (string, error) {
	if !filepath.IsAbs(path) {
		wd, err := os.Getwd()
		if err != nil {
			return "", fmt.Errorf("find the working directory: %w", err)
		}
		path = wd + string(filepath.Separator) + path // not cleaned: what "a/.." is depends on what a is
	}
	return filepath.EvalSymlinks(path)
}

// Root returns the folder of the module prokata that holds dir.
func Root(dir string) (string, error) {
	abs, err := Real(dir)
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for d := abs; ; d = filepath.Dir(d) {
		b, err := os.ReadFile(filepath.Join(d, "go.mod"))
		if err == nil && module.Match(b) {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("%s is not inside a prokata repository: change to its folder first", abs)
		}
	}
}

// module is the line of go.mod that names it, as any editor and any clone may have
// left it: with a carriage return, in quotes, below a comment.
var module = regexp.MustCompile(`(?m)^(?:\x{FEFF})?[ \t]*module[ \t]+"?prokata"?[ \t]*(?://.*)?\r?$`)

var folderName = regexp.MustCompile(`^(\d\d)-([a-z][a-z0-9-]*)$`)

// All loads every kata of the repository at root, in the order of their numbers.
func All(root string) ([]Kata, error) {
	dir := filepath.Join(root, "katas")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list the katas: %w", err)
	}
	var all []Kata
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); err != nil || !info.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		k, err := Load(path)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no kata", dir)
	}
	return all, nil
}

// A Mistake is what is wrong with a kata's facts.
type Mistake struct {
	Folder string
	What   string // with the path of kata.json
}

func (m Mistake) Error() string { return m.What }

// Load reads the kata in dir and checks that its facts fit together; if they do not,
// the error is a Mistake.
func Load(dir string) (Kata, error) {
	path := filepath.Join(dir, "kata.json")
	fail := func(format string, args ...any) (Kata, error) {
		return Kata{}, Mistake{filepath.Base(dir), path + ": " + fmt.Sprintf(format, args...)}
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fail("the file is missing; every folder of katas/ needs one (see CONTRIBUTING.md)")
	}
	if err != nil {
		return Kata{}, fmt.Errorf("read a kata: %w", err)
	}
	k := Kata{Dir: dir, Folder: filepath.Base(dir)}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&k); err != nil {
		return fail("%v", describe(b, err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fail("text follows the JSON object; remove it")
	}
	if len(k.Steps) > 0 {
		if what := k.climb(); what != "" {
			return fail("%s", what)
		}
	}
	m := folderName.FindStringSubmatch(k.Folder)
	switch {
	case m == nil:
		return fail("the folder must be named like 01-spawn")
	case strconv.Itoa(k.Number) != strings.TrimPrefix(m[1], "0") || k.Name != m[2]:
		return fail(`number %d and name %q do not fit the folder %s`, k.Number, k.Name, k.Folder)
	case k.Title == "" || k.Teaches == "" || k.Python == "" || len(k.Primitives) == 0:
		return fail(`"title", "teaches", "python" and "primitives" must not be empty`)
	case slices.ContainsFunc(k.Needs, func(n string) bool { return n != Loopback && n != Python }):
		return fail(`"needs" may hold %q and %q`, Loopback, Python)
	case len(k.Files) == 0:
		return fail(`"files" must name what the learner edits`)
	case len(k.Tests) == 0:
		return fail(`"steps" must name every test`)
	case k.Limits.Seconds < 1 || k.Limits.Processes < 1 || k.Limits.MemoryMiB < 1 || k.Limits.OutputMiB < 1:
		return fail(`"limits" needs "seconds", "processes", "memory_mib" and "output_mib", each at least 1`)
	}
	seen := map[string]bool{}
	for _, t := range k.Tests {
		switch {
		case !strings.HasPrefix(t.Name, "Test"):
			return fail("%q is not the name of a test", t.Name)
		case seen[t.Name]:
			return fail("%s stands twice in \"tests\"", t.Name)
		case t.Group != Core && t.Group != Bonus && t.Group != Hard:
			return fail(`%s: group %q is none of "core", "bonus", "hard"`, t.Name, t.Group)
		case len(k.Steps) == 0 && t.Step != 0:
			return fail(`%s: "step" is for a kata with "steps"`, t.Name)
		case t.Processes < 0:
			return fail("%s: \"processes\" must not be negative", t.Name)
		}
		seen[t.Name] = true
	}
	for _, f := range k.Files {
		if f != filepath.Base(f) || !strings.HasSuffix(f, ".go") || strings.HasSuffix(f, "_test.go") {
			return fail(`"files": %q is not the name of a Go source file`, f)
		}
		if _, err := os.Stat(filepath.Join(dir, f)); err != nil {
			return fail(`"files" names %s, which is missing`, f)
		}
	}
	return k, nil
}

var stepName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// climb gathers the tests of the steps in their order. It returns what is wrong with
// the steps, if anything is.
func (k *Kata) climb() string {
	if len(k.Tests) > 0 {
		return `it has "steps" and "tests": each test stands in its step`
	}
	seen := map[string]bool{}
	for i, s := range k.Steps {
		switch {
		case !stepName.MatchString(s.Name) || seen[s.Name]:
			return fmt.Sprintf(`"steps": %q is no name of a step: small letters, digits and dashes, each name once`, s.Name)
		case s.Goal == "" || !strings.HasSuffix(s.Goal, "."):
			return fmt.Sprintf(`step %s: "goal" must be a sentence`, s.Name)
		case len(s.Tests) == 0:
			return fmt.Sprintf("step %s has no tests: nothing would tell that it is reached", s.Name)
		}
		seen[s.Name] = true
		for _, t := range s.Tests {
			if t.Group != "" || t.Step != 0 {
				return fmt.Sprintf("step %s: group and step of %s are this step's", s.Name, t.Name)
			}
			t.Group, t.Step = s.Group, i+1
			k.Tests = append(k.Tests, t)
		}
	}
	return ""
}

// Step returns the step of that name or number, and false if there is none.
func (k Kata) Step(name string) (i int, s Step, ok bool) {
	for i, s := range k.Steps {
		if s.Name == name || strconv.Itoa(i+1) == name {
			return i + 1, s, true
		}
	}
	return 0, Step{}, false
}

// describe adds the line to an error of the JSON decoder that has an offset.
func describe(b []byte, err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	offset := int64(-1)
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	msg := strings.TrimPrefix(err.Error(), "json: ")
	if offset < 0 || offset > int64(len(b)) {
		return msg
	}
	return fmt.Sprintf("line %d: %s", 1+bytes.Count(b[:offset], []byte("\n")), msg)
}

// Select returns the katas that the names choose, in their own order. A name is
// a number, a name, a folder or a path that ends in one; "spawn,2" is two of
// them. No name at all chooses all.
func Select(all []Kata, names []string) ([]Kata, error) {
	chosen := map[string]bool{}
	some := false
	for _, arg := range names {
		for name := range strings.SplitSeq(arg, ",") {
			name = strings.TrimSpace(name)
			if name == "" {
				continue
			}
			some = true
			i := slices.IndexFunc(all, func(k Kata) bool { return k.Called(name) })
			if i < 0 {
				var known []string
				for _, k := range all {
					known = append(known, k.Name)
				}
				return nil, fmt.Errorf("there is no kata %q; the katas are %s", name, strings.Join(known, ", "))
			}
			chosen[all[i].Folder] = true
		}
	}
	if !some && len(names) > 0 {
		return nil, errors.New("a name of a kata is empty: leave it out to mean all of them")
	}
	if !some {
		return all, nil
	}
	return slices.DeleteFunc(slices.Clone(all), func(k Kata) bool { return !chosen[k.Folder] }), nil
}

// Called reports whether name, a number, a name, a folder or a path that ends in one, is
// this kata's.
func (k Kata) Called(name string) bool {
	if n, err := strconv.Atoi(name); err == nil {
		return n == k.Number
	}
	base := filepath.Base(filepath.Clean(name))
	return strings.EqualFold(base, k.Name) || strings.EqualFold(base, k.Folder) || strings.EqualFold(base, k.Package())
}
