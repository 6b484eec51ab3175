package policy

import (
	"go/build/constraint"
	"go/token"
	"slices"
	"strings"
)

// pragmas are the compiler's directives that a kata may use. All others hide code
// from the race detector (norace), reach into other packages (linkname), read
// files of the build machine (embed) or change the runtime (debug).
var pragmas = []string{"build", "generate", "noinline", "fix"}

// systems are the tags by which a kata may choose between files. A program must
// not know whether it was built for the race detector.
var systems = strings.Fields("linux unix darwin freebsd netbsd openbsd dragonfly solaris illumos aix windows amd64 arm64")

func (c *checker) commentsOf(f *source) {
	for _, group := range f.file.Comments {
		for _, comment := range group.List {
			c.comment(f, comment.Pos(), comment.Text)
		}
	}
}

func (c *checker) comment(f *source, at token.Pos, text string) {
	if strings.HasPrefix(text, "//line ") || strings.HasPrefix(text, "/*line ") {
		c.report(f, at, always, "pragma", "a line directive: findings would name the wrong place")
		return
	}
	if strings.HasPrefix(text, "//export ") || strings.HasPrefix(text, "//extern ") {
		c.report(f, at, only, "pragma", "%s: it is for C code", strings.Fields(text)[0])
		return
	}
	if constraint.IsPlusBuild(text) || constraint.IsGoBuild(text) {
		c.constraint(f, at, text)
		return
	}
	directive, ok := strings.CutPrefix(text, "//go:")
	if !ok {
		return
	}
	name, _, _ := strings.Cut(directive, " ")
	name = strings.TrimSpace(name)
	switch {
	case slices.Contains(pragmas, name):
	case name == "linkname" || name == "norace" || strings.HasPrefix(name, "cgo_"):
		c.report(f, at, always, "pragma", "//go:%s: it takes the code out of the race detector's sight", name)
	default:
		c.report(f, at, only, "pragma", "//go:%s: no kata needs it", name)
	}
}

func (c *checker) constraint(f *source, at token.Pos, text string) {
	expr, err := constraint.Parse(text)
	if err != nil {
		c.report(f, at, only, "constraint", "%s: it cannot be read: %v", text, err)
		return
	}
	var asked []string
	expr.Eval(func(tag string) bool { // asks for every tag, whatever the answer to the others
		asked = append(asked, tag)
		return true
	})
	for _, tag := range asked {
		switch {
		case slices.Contains(systems, tag), strings.HasPrefix(tag, "go1."):
		case tag == "race", tag == "cgo":
			c.report(f, at, always, "constraint", "the tag %s: a program must not know how it is being checked", tag)
		case tag == "ignore":
			c.report(f, at, noted, "constraint", "the tag ignore: the file is not built")
		default:
			c.report(f, at, only, "constraint", "the tag %s: only operating systems are allowed", tag)
		}
	}
}
