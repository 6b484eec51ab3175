// Package contract reads what a kata promises: the sentences of the stub's comments,
// which say what the learner's program must do. A sentence that no known mistake breaks
// is one that no test may be checking.
package contract

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"prokata/checker/internal/source/kata"
)

// A Sentence of the contract.
type Sentence struct {
	Of   string // whose comment it stands in: "Group.Run"
	Text string // white space folded
	from int    // where it stands in the whole text
	to   int
}

// A Contract is what the comments of a stub say of what is exported, and of what the
// learner has to write; without the package's story.
type Contract struct {
	Sentences []Sentence
	text      string // all of it, white space folded
}

// Read reads the contract of a kata from its stub.
func Read(k kata.Kata) (Contract, error) {
	var c Contract
	for _, name := range k.Files {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(k.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return c, fmt.Errorf("read the contract: %w", err)
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() || unwritten(d) {
					c.add(function(d), d.Doc)
				}
			case *ast.GenDecl:
				c.declaration(d)
			}
		}
	}
	return c, nil
}

// unwritten reports whether the function is left to the learner.
func unwritten(d *ast.FuncDecl) (yes bool) {
	ast.Inspect(d, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "todo" {
				yes = true
			}
		}
		return !yes
	})
	return yes
}

func function(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	recv := d.Recv.List[0].Type
	if star, ok := recv.(*ast.StarExpr); ok {
		recv = star.X
	}
	if index, ok := recv.(*ast.IndexExpr); ok {
		recv = index.X
	}
	if id, ok := recv.(*ast.Ident); ok {
		return id.Name + "." + d.Name.Name
	}
	return d.Name.Name
}

func (c *Contract) declaration(d *ast.GenDecl) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if !s.Name.IsExported() {
				continue
			}
			// Its first sentence says what the thing is, and promises nothing.
			before := len(c.Sentences)
			c.add(s.Name.Name, d.Doc, s.Doc, s.Comment)
			if len(c.Sentences) > before {
				c.Sentences = append(c.Sentences[:before], c.Sentences[before+1:]...)
			}
			var fields *ast.FieldList
			switch t := s.Type.(type) {
			case *ast.StructType:
				fields = t.Fields
			case *ast.InterfaceType:
				fields = t.Methods
			default:
				continue
			}
			for _, f := range fields.List {
				if len(f.Names) > 0 && f.Names[0].IsExported() {
					c.add(s.Name.Name+"."+f.Names[0].Name, f.Doc, f.Comment)
				}
			}
		case *ast.ValueSpec:
			if !s.Names[0].IsExported() {
				continue
			}
			c.add(s.Names[0].Name, d.Doc, s.Doc, s.Comment)
		}
	}
}

// end is where a sentence ends: not within "e.g." or a name.
var end = regexp.MustCompile(`[.?!]["”)]?( +)["“(]?[A-Z]`)

func (c *Contract) add(of string, docs ...*ast.CommentGroup) {
	for _, doc := range docs {
		if doc == nil {
			continue
		}
		text := fold(doc.Text())
		if text == "" {
			continue
		}
		for text != "" {
			n := len(text)
			if at := end.FindStringSubmatchIndex(text); at != nil {
				n = at[3]
			}
			s := Sentence{Of: of, Text: strings.TrimSpace(text[:n]), from: len(c.text)}
			c.text += s.Text + " "
			s.to = len(c.text) - 1
			c.Sentences = append(c.Sentences, s)
			text = text[n:]
		}
	}
}

func fold(s string) string { return strings.Join(strings.Fields(s), " ") }

// Covered returns the sentences that the quotes break, as a set of their indexes. A
// quote is a sentence or a part of one or more; stale are those that the contract does
// not hold.
func (c Contract) Covered(quotes []string) (covered map[int]bool, stale []string) {
	covered = map[int]bool{}
	for _, q := range quotes {
		q := fold(q)
		at := strings.Index(c.text, q)
		if q == "" || at < 0 {
			stale = append(stale, q)
			continue
		}
		for ; at >= 0; at = next(c.text, q, at) {
			for i, s := range c.Sentences {
				if s.from < at+len(q) && at < s.to {
					covered[i] = true
				}
			}
		}
	}
	return covered, stale
}

// next is where the quote stands after at, or -1.
func next(text, q string, at int) int {
	i := strings.Index(text[at+1:], q)
	if i < 0 {
		return -1
	}
	return at + 1 + i
}

// Excused are sentences that promise nothing: they name a thing, or explain.
type Excused struct {
	Open   int      // how many sentences nothing breaks yet; it may only fall
	Quotes []string // of sentences that promise nothing
}

// Excuses reads testdata/contract/NN-kata.txt:
//
//	open: 12
//	Register gives a function the name by which a Job asks for it. | names a thing
func Excuses(root string, k kata.Kata) (Excused, error) {
	var e Excused
	path := filepath.Join(root, "testdata", "contract", k.Folder+".txt")
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return e, fmt.Errorf("testdata/contract/%s.txt is missing: it begins with \"open: \" and how many sentences nothing breaks", k.Folder)
	}
	if err != nil {
		return e, fmt.Errorf("read the excuses: %w", err)
	}
	head, rest, _ := strings.Cut(string(b), "\n")
	if _, err := fmt.Sscanf(head, "open: %d", &e.Open); err != nil || e.Open < 0 {
		return e, fmt.Errorf("testdata/contract/%s.txt must begin with \"open: \" and a number", k.Folder)
	}
	for i, line := range strings.Split(rest, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		quote, reason, ok := strings.Cut(line, " | ")
		if !ok || strings.TrimSpace(reason) == "" {
			return e, fmt.Errorf("testdata/contract/%s.txt:%d: a sentence, then \" | \" and why it promises nothing", k.Folder, i+2)
		}
		e.Quotes = append(e.Quotes, quote)
	}
	return e, nil
}

// Open returns the sentences that neither a mistake breaks nor an excuse names, and the
// quotes of either that the contract does not hold.
func (c Contract) Open(breaks, excused []string) (open []Sentence, stale []string) {
	covered, stale := c.Covered(slices.Concat(breaks, excused))
	for i, s := range c.Sentences {
		if !covered[i] {
			open = append(open, s)
		}
	}
	return open, stale
}
