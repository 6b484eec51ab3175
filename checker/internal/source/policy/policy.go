package policy

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"

	"prokata/checker/internal/source/intake"
)

// Strength says how much is refused.
type Strength int

const (
	// Learner refuses what breaks the harness for an honest person, who would
	// otherwise search for long.
	Learner Strength = iota
	// Untrusted refuses whatever reaches for the grader.
	Untrusted
)

// A Violation is a place at which a submission breaks a rule.
type Violation struct {
	File    string // its name in the folder that was checked
	Line    int    // 0 if the file as a whole is meant
	Rule    string // stable: "import", "init", "pragma"
	Message string // what is there and why it is not allowed
	Refuse  bool   // else it is a note for the instructor
	Mistake bool   // it is refused, and nobody is accused: a learner has no reason to reach for the grader
}

func (v Violation) String() string {
	where := v.File
	if v.Line > 0 {
		where = fmt.Sprintf("%s:%d", v.File, v.Line)
	}
	return fmt.Sprintf("%s: %s: %s", where, v.Rule, v.Message)
}

// Refused tells whether any of the violations forbids to build the submission.
func Refused(vs []Violation) bool {
	return slices.ContainsFunc(vs, func(v Violation) bool { return v.Refuse })
}

// Check looks at one kata's submission and returns what breaks the rules, in the order of
// file and line.
func Check(taken intake.Submission, s Strength) []Violation {
	violations := files(taken, s)
	sources := map[string][]byte{}
	for _, f := range taken.Files {
		sources[f.Name] = f.Text
	}
	violations = append(violations, Sources(sources, s)...)
	for i, v := range violations {
		violations[i].Mistake = v.Refuse && (s == Learner || v.Mistake)
	}
	return sorted(violations)
}

// Sources checks the Go files of one package, given by their names.
func Sources(sources map[string][]byte, s Strength) []Violation {
	c := &checker{strength: s, fset: token.NewFileSet(), reported: map[Violation]bool{}}
	var pkg []*source
	for name, text := range sources {
		// The file is checked as the compiler sees it: lines as they stand,
		// whatever a //line directive says.
		file, err := parser.ParseFile(c.fset, name, text, parser.ParseComments)
		if err != nil {
			// The compiler will say so in better words, and nothing will run. That it is of
			// the same opinion is not believed of who is not trusted.
			v := Violation{File: name, Rule: "syntax", Message: "the file could not be read as Go", Refuse: s == Untrusted, Mistake: true}
			var list scanner.ErrorList
			if errors.As(err, &list) && s == Untrusted {
				v.Line, v.Message = list[0].Pos.Line, v.Message+": "+list[0].Msg
			}
			c.add(v)
			continue
		}
		pkg = append(pkg, &source{name: name, file: file, imports: imported(file)})
	}
	slices.SortFunc(pkg, func(a, b *source) int { return strings.Compare(a.name, b.name) })
	for _, f := range pkg {
		c.importsOf(f)
		c.commentsOf(f)
		c.usesOf(f)
		c.literalsOf(f)
	}
	c.initialization(pkg)
	return sorted(c.violations)
}

func sorted(vs []Violation) []Violation {
	slices.SortStableFunc(vs, func(a, b Violation) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return vs
}

// source is one parsed file.
type source struct {
	name    string
	file    *ast.File
	imports map[string]string // package name, as the file uses it, to path
}

// imported returns the names under which a file knows the packages it imports.
func imported(file *ast.File) map[string]string {
	m := map[string]string{}
	for _, spec := range file.Imports {
		path := importPath(spec)
		name := path[strings.LastIndexByte(path, '/')+1:]
		if name == "v2" { // math/rand/v2
			name = strings.TrimSuffix(path, "/v2")
			name = name[strings.LastIndexByte(name, '/')+1:]
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		m[name] = path
	}
	return m
}

// refers returns the path of the package and the name that a selector stands
// for, if it is one of an imported package, and of nothing that hides its name.
func (f *source) refers(n ast.Node) (path, name string, ok bool) {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", "", false
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", "", false
	}
	if id.Obj != nil {
		return "", "", false
	}
	path, ok = f.imports[id.Name]
	return path, sel.Sel.Name, ok
}

type checker struct {
	strength   Strength
	fset       *token.FileSet
	violations []Violation
	reported   map[Violation]bool
}

func (c *checker) add(v Violation) {
	if !c.reported[v] {
		c.reported[v] = true
		c.violations = append(c.violations, v)
	}
}

// degree is what comes of a rule at either strength.
type degree int

const (
	always  degree = iota // refused at both strengths
	strict                // refused if untrusted, else noted
	only                  // refused if untrusted, else of no interest
	noted                 // noted at both
	suspect               // noted if untrusted, else of no interest
)

func (c *checker) report(f *source, at token.Pos, d degree, rule, format string, args ...any) {
	untrusted := c.strength == Untrusted
	if !untrusted && (d == only || d == suspect) {
		return
	}
	c.add(Violation{
		File:    f.name,
		Line:    c.fset.PositionFor(at, false).Line,
		Rule:    rule,
		Message: fmt.Sprintf(format, args...),
		Refuse:  d == always || untrusted && (d == strict || d == only),
	})
}
