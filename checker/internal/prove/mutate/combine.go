package mutate

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// Variable is the int variable by which combined mutants are chosen: 0 is the
// original, i the i-th of those that Combine was given.
const Variable = "chosenMutant"

// Combine returns one source that holds the original and all of its mutants, which
// must compile. Beside each function stands a copy for each of its mutants, and the
// function begins by calling the copy that Variable, which is declared elsewhere in
// the package, chooses. So all are compiled at once (R. H. Untch, A. J. Offutt,
// M. J. Harrold, "Mutation analysis using mutant schemata", ISSTA 1993). Of the
// numbers, numbers[i] is that of mutants[i].
//
// The lines of the original stay where they are.
func Combine(name string, src []byte, mutants []Mutant, numbers []int) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("combine mutants: %w", err)
	}
	offset := func(p token.Pos) int { return fset.Position(p).Offset }
	var out, copies bytes.Buffer
	done := 0
	put := func(at token.Pos, text string, skip int) {
		out.Write(src[done:offset(at)])
		out.WriteString(text)
		done = offset(at) + skip
	}
	for i, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Body == nil || !slices.ContainsFunc(mutants, func(m Mutant) bool { return m.decl == i }) {
			continue
		}
		receiver, args := nameParams(f, put)
		target := func(number int) string { return fmt.Sprintf("%s_mutant%d", f.Name.Name, number) }
		choice := "switch " + Variable + " {"
		for j, m := range mutants {
			if m.decl != i {
				continue
			}
			// A mutation is inside of the body: what is before and behind has kept its
			// length.
			grown := len(m.Source) - len(src)
			copies.WriteString("\n")
			copies.Write(m.Source[offset(f.Pos()):offset(f.Name.Pos())])
			copies.WriteString(target(numbers[j]))
			copies.Write(m.Source[offset(f.Name.End()) : offset(f.End())+grown])
			copies.WriteString("\n")
			choice += fmt.Sprintf(" case %d: ", numbers[j])
			call := receiver + target(numbers[j]) + typeArgs(f) + "(" + strings.Join(args, ", ") + ")"
			if f.Type.Results == nil {
				choice += call + "; return;"
			} else {
				choice += "return " + call + ";"
			}
		}
		put(f.Body.Lbrace+1, choice+" }; ", 0)
	}
	out.Write(src[done:])
	out.Write(copies.Bytes())
	return out.Bytes(), nil
}

// nameParams gives a name to each parameter that has none, and returns what a call
// with the same arguments begins with, and the arguments.
func nameParams(f *ast.FuncDecl, put func(at token.Pos, text string, skip int)) (receiver string, args []string) {
	names := func(list *ast.FieldList) (all []string) {
		for _, field := range list.List {
			suffix := ""
			if _, ok := field.Type.(*ast.Ellipsis); ok {
				suffix = "..."
			}
			unnamed := func() string { return fmt.Sprintf("%sArg%d", Variable, len(all)) }
			if len(field.Names) == 0 {
				put(field.Type.Pos(), unnamed()+" ", 0)
				all = append(all, unnamed()+suffix)
			}
			for _, id := range field.Names {
				name := id.Name
				if name == "_" {
					name = unnamed()
					put(id.Pos(), name, len("_"))
				}
				all = append(all, name+suffix)
			}
		}
		return all
	}
	if f.Recv != nil {
		id := Variable + "Receiver"
		switch field := f.Recv.List[0]; {
		case len(field.Names) == 0:
			put(field.Type.Pos(), id+" ", 0)
		case field.Names[0].Name == "_":
			put(field.Names[0].Pos(), id, len("_"))
		default:
			id = field.Names[0].Name
		}
		receiver = id + "."
	}
	return receiver, names(f.Type.Params)
}

// typeArgs returns the type parameters of a function as arguments.
func typeArgs(f *ast.FuncDecl) string {
	if f.Type.TypeParams == nil {
		return ""
	}
	var names []string
	for _, field := range f.Type.TypeParams.List {
		for _, id := range field.Names {
			names = append(names, id.Name)
		}
	}
	return "[" + strings.Join(names, ", ") + "]"
}
