package policy

import (
	"go/ast"
	"strings"
)

// module is this repository's own module.
const module = "prokata"

// ours are the packages of the module that exist for the katas' own code.
var ours = map[string]bool{module + "/checker/shm": true, module + "/checker/todo": true}

// foreign are the packages of other modules that a kata may need.
var foreign = []string{"github.com/moby/sys/reexec", "golang.org/x/sys/unix", "golang.org/x/sync/"}

// standard are packages of the standard library that are not allowed, with the reason.
// Of who is not trusted, no other is that is not listed in allowed.go.
var standard = map[string]struct {
	degree degree
	why    string
}{
	"C":            {always, "C code is out of the race detector's sight"},
	"plugin":       {always, "a plugin's code is not in the submission"},
	"runtime/cgo":  {always, "C code is out of the race detector's sight"},
	"runtime/race": {always, "it is the race detector"},
	"unsafe":       {only, "it reaches the memory of the harness; prokata/checker/shm gives words of shared memory"},
	"embed":        {only, "it copies files of the build machine into the program"},
	"testing":      {strict, "it reaches the tests that run"},
	"flag":         {only, "it reaches the flags of the tests that run"},
}

func (c *checker) importsOf(f *source) {
	for _, spec := range f.file.Imports {
		path := importPath(spec)
		if spec.Name != nil && spec.Name.Name == "." {
			// The checks below know a function by its package's name.
			c.report(f, spec.Pos(), only, "import", "%s: a dot import hides where a name comes from", path)
		}
		first, _, _ := strings.Cut(path, "/")
		rule, listed := standard[path]
		switch {
		case listed:
			c.report(f, spec.Pos(), rule.degree, "import", "%s: %s", path, rule.why)
		case strings.HasPrefix(path, module+"/solutions"):
			c.report(f, spec.Pos(), always, "import", "%s: the solution cannot be part of an answer", path)
		case first == module:
			if !ours[path] {
				c.report(f, spec.Pos(), always, "import", "%s: of this module only checker/shm and checker/todo are for katas", path)
			}
		case strings.HasPrefix(path, "testing/"):
			c.report(f, spec.Pos(), strict, "import", "%s: it reaches the tests that run", path)
		case strings.HasPrefix(path, "."), strings.HasPrefix(path, "/"):
			c.report(f, spec.Pos(), always, "import", "%s: an import names a package by its full path", path)
		case strings.Contains(first, ".") && !admitted(path):
			c.report(f, spec.Pos(), only, "import", "%s: of other modules only %s are allowed", path, strings.Join(foreign, ", "))
		case !admitted(path):
			c.report(f, spec.Pos(), only, "import", "%s: it is not among what the katas need", path)
		}
	}
}

func importPath(spec *ast.ImportSpec) string {
	return strings.Trim(spec.Path.Value, "`\"")
}
