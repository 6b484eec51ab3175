package intake

import (
	"bytes"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"

	"prokata/checker/internal/source/kata"
)

// sources sorts the files of a submission into katas. A file belongs to a kata if the
// nearest folder around it that is named after one says so, or its own name does, or its
// package clause. Which of them was meant must be plain: nothing is guessed.
func (p *pile) sources(katas []kata.Kata) (all []Source) {
	files := p.files
	// A whole repository: what its owner edits stands in katas/, and the rest is ours.
	if slices.ContainsFunc(files, func(f File) bool { return strings.Contains("/"+f.From, "/katas/") }) {
		files = slices.DeleteFunc(slices.Clone(files), func(f File) bool { return ours.MatchString("/" + f.From) })
	}
	of := map[string][]File{}
	for _, f := range files {
		k, ok := belongs(f, katas)
		if !ok {
			p.note("%s belongs to no kata, by its folder, its name and its package", f.From)
			continue
		}
		f.Name = called(path.Base(f.From), k)
		of[k.Folder] = append(of[k.Folder], f)
	}
	for _, k := range katas {
		if mine := of[k.Folder]; len(mine) > 0 {
			all = append(all, source(k, mine))
		}
	}
	return all
}

var ours = regexp.MustCompile(`/(solutions|testdata|checker)/`)

// source joins the files of one kata. The same file at two places is one; two different
// ones of one name are nobody's to choose from.
func source(k kata.Kata, files []File) Source {
	s := Source{Kata: k}
	slices.SortStableFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range files {
		if n := len(s.Files); n > 0 && strings.EqualFold(s.Files[n-1].Name, f.Name) {
			if before := s.Files[n-1]; !bytes.Equal(before.Text, f.Text) {
				s.Broken = before.From + " and " + f.From + " differ, and both could be " + f.Name + ": hand in one of them"
			}
			continue
		}
		s.Files = append(s.Files, f)
	}
	if len(s.Files) == 1 && len(k.Files) == 1 {
		s.Files[0].Name = k.Files[0] // "answer.go", "ada.go": it can be no other
	}
	return s
}

func belongs(f File, katas []kata.Kata) (kata.Kata, bool) {
	for dir := path.Dir(f.From); dir != "."; dir = path.Dir(dir) {
		if k, ok := only(katas, func(k kata.Kata) bool {
			return k.Called(path.Base(dir)) && strings.Trim(path.Base(dir), "0123456789") != ""
		}); ok {
			return k, true
		}
	}
	if k, ok := only(katas, func(k kata.Kata) bool { return slices.Contains(k.Files, called(path.Base(f.From), k)) }); ok {
		return k, true
	}
	if parsed, err := parser.ParseFile(token.NewFileSet(), "", f.Text, parser.PackageClauseOnly); err == nil {
		return only(katas, func(k kata.Kata) bool { return k.Package() == parsed.Name.Name })
	}
	return kata.Kata{}, false
}

// again is what systems put behind the name of a file that was uploaded or saved twice:
// "spawn-1.go", "spawn (2).go".
var again = regexp.MustCompile(`(-\d+| ?\(\d+\))\.go$`)

// called is the name that a file has in the kata's folder.
func called(name string, k kata.Kata) string {
	for _, n := range []string{name, again.ReplaceAllString(name, ".go")} {
		if i := slices.IndexFunc(k.Files, func(f string) bool { return strings.EqualFold(f, n) }); i >= 0 {
			return k.Files[i]
		}
	}
	return name
}

func only(katas []kata.Kata, is func(kata.Kata) bool) (kata.Kata, bool) {
	i := slices.IndexFunc(katas, is)
	if i < 0 || slices.ContainsFunc(katas[i+1:], is) {
		return kata.Kata{}, false
	}
	return katas[i], true
}
