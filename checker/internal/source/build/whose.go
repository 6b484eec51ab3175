package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"prokata/checker/internal/source/instrument"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/plan"
)

// blame tells whether what the go command complains of is the learner's. A line that
// begins with the place of the learner's text is, whatever it says. What any other line
// says proves nothing, as a source can make it say anything (a module's name, a
// directive, text that it quotes): then the reference solution is built in the same
// way. If that fails too, nobody's source is the reason: that is the error. If it is
// built, the surroundings are in order now.
func (b *Builder) blame(ctx context.Context, p plan.Plan, text string) (learner bool, err error) {
	own, other := split(text, p)
	if own > 0 && other == 0 && compiled(text) {
		return true, nil
	}
	control, ok := reference(p)
	if !ok { // there is nothing to compare with
		if own == 0 || !compiled(text) {
			return false, errors.New(trouble(text))
		}
		return true, nil
	}
	bin, complaints, err := b.attempt(ctx, control, instrument.Points|instrument.Sites)
	switch {
	case err != nil:
		return false, err
	case bin.Build.OK:
		return false, os.RemoveAll(filepath.Dir(bin.Path))
	}
	return false, fmt.Errorf("the reference solution is not built either: %s", trouble(complaints))
}

// compiled tells whether the packages were found, so that the complaints are about what
// is in them. Those of a look for packages end in a line of their own, and name the
// first file that imports one: the learner's, also where it is the machine that lacks
// a module.
func compiled(text string) bool {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "FAIL\t") && strings.HasSuffix(strings.TrimSpace(line), "[setup failed]") {
			return false
		}
	}
	return true
}

// reference is the same plan for the repository's own solution, and false if there is
// none or the plan is for that.
func reference(p plan.Plan) (plan.Plan, bool) {
	dir := filepath.Join(p.Root, "solutions", p.Kata.Folder)
	if real, err := kata.Real(dir); err != nil || real == p.Source {
		return p, false
	}
	control, err := plan.New(p.Root, p.Kata, filepath.Join(p.Root, "solutions"))
	control.Race, control.Vet = p.Race, p.Vet
	return control, err == nil && control.Trouble == "" && len(control.Missing) == 0
}

// split counts the lines that begin with the place of the learner's text, and those
// that begin otherwise. A line that is indented goes on with the one before it.
func split(text string, p plan.Plan) (own, other int) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case line == "", noise(line), line[0] == '\t', line[0] == ' ', line == "too many errors":
		case place(line, p) != "":
			own++
		default:
			other++
		}
	}
	return own, other
}

// noise tells a line by which the go command says only what it was about: a heading
// ("# prokata/katas/01-spawn"), or the outcome.
func noise(line string) bool { return strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "FAIL") }

// place returns the file of the source with which a line begins:
//
//	katas/01-spawn/spawn.go:31:2: undefined: cmd
//	vet: katas/01-spawn/spawn.go:31:2: undefined: cmd
func place(line string, p plan.Plan) string {
	line = strings.TrimPrefix(strings.TrimPrefix(line, "vet: "), "./")
	for _, f := range p.Files {
		for _, path := range paths(p, f) {
			if strings.HasPrefix(line, path+":") {
				return f
			}
		}
	}
	return ""
}

// paths are the names by which the go command may call a file of the source: the one
// that it takes the place of, with and without the repository's.
func paths(p plan.Plan, f string) []string {
	return []string{filepath.Join(p.Kata.Dir, p.Name(f)), filepath.Join("katas", p.Kata.Folder, p.Name(f))}
}

// inBuild is what the compiler adds to a place that a line directive names: where the file
// really is, in a folder that nobody has seen and that is gone by now.
//
//	katas/01-spawn/spawn.go:17:2[/tmp/prokata-work-242519651/01-spawn-4033/spawn.go:18:2]: other declaration of fmt
var inBuild = regexp.MustCompile(`\[[^\[\]\s]*/prokata-work-\d+/[^\[\]\s]*\]`)

// missing is how the go command says of an import that there is no such package. Where it
// could not look into every module, since not all are downloaded, it names one that has
// nothing to do with it.
//
//	katas/01-spawn/spawn.go:3:8: example.com/m@v2.1.1: module lookup disabled by GOPROXY=off
//	katas/01-spawn/spawn.go:3:8: cannot find module providing package a.b/c: import lookup disabled by -mod=readonly
var missing = regexp.MustCompile(`(?m): (\S+@v\S+: module lookup disabled by GOPROXY=off|cannot find module providing package \S+: import lookup disabled by -mod=readonly)$`)

// words are the go command's, with the learner's paths, without what it adds.
func words(text string, p plan.Plan) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if noise(line) || strings.Contains(line, markFile+":") {
			continue
		}
		line = inBuild.ReplaceAllString(line, "")
		line = missing.ReplaceAllString(line, ": no package of that name is in the modules of this repository")
		for _, f := range p.Files {
			shown := filepath.Join(p.Label, f)
			for _, path := range paths(p, f) {
				line = strings.ReplaceAll(line, "./"+path+":", shown+":")
				line = strings.ReplaceAll(line, path+":", shown+":")
			}
		}
		b.WriteString(line)
	}
	if s := strings.TrimSpace(b.String()); s != "" {
		return s
	}
	return "the go command left the files out: look at their names and build constraints"
}

// trouble is what the go command said of the reference solution, with what can be done
// about it. No submission has a part in these words.
func trouble(text string) string {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.Contains(line, "updates to go.mod needed"):
			return "go.mod is not up to date: run `go mod tidy`"
		case strings.Contains(line, "no space left on device"), strings.Contains(line, "disk quota exceeded"), strings.Contains(line, "file too large"):
			return "there is no room for what the compiler writes: make some, or set TMPDIR and GOCACHE to where there is: " + line
		case strings.Contains(line, "module lookup disabled"), strings.Contains(line, "missing go.sum entry"):
			return "a module is not downloaded: run `go mod download` (" + line + ")"
		case strings.Contains(line, "requires go >= "):
			return line + ": install a newer Go"
		}
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !noise(line) {
			return line
		}
	}
	return text
}
