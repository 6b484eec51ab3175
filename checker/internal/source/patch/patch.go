// Package patch keeps a source as what differs from another one: a head of words, and
// the differences in git's unified form, a file each.
//
//	Flaw: each child is waited for before the next one is started.
//	Why: exec.Cmd.Run is the shortest way to a process.
//
//	want deadlock TestAliveTogether
//
//	diff --git a/spawn.go b/spawn.go
//	index 3f1c0b2a9d4e..7d20b1a8c3f5 100644
//	--- a/spawn.go
//	+++ b/spawn.go
//	@@ -57,6 +57,9 @@ …
//
// Reading and applying is bluekeyes/go-gitdiff's (strict, alive, no dependencies); the
// differences are made by rogpeppe/go-internal/diff, which anchors them at lines that
// stand once, so that a person reads whole statements.
package patch

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
	"github.com/rogpeppe/go-internal/diff"
)

// Ext is how a patch file's name ends.
const Ext = ".patch"

// Files are sources by their name.
type Files map[string][]byte

// A Patch is a head and what changes in each file.
type Patch struct {
	Head  string
	files []*gitdiff.File
}

// A Misfit is the error of a patch that does not apply.
type Misfit struct {
	File string
	What string
}

func (m Misfit) Error() string { return fmt.Sprintf("it does not apply to %s: %s", m.File, m.What) }

// Parse reads a patch.
func Parse(text []byte) (Patch, error) {
	head, body := text, []byte(nil)
	if i := bytes.Index(append([]byte("\n"), text...), []byte("\ndiff --git ")); i >= 0 {
		head, body = text[:i], text[i:]
	}
	files, _, err := gitdiff.Parse(bytes.NewReader(body))
	if err != nil {
		return Patch{}, fmt.Errorf("read the patch: %w", err)
	}
	for _, f := range files {
		n := name(f)
		if n == "" || f.IsBinary || f.IsRename || f.IsCopy || filepath.Base(n) != n {
			return Patch{}, fmt.Errorf("read the patch: %q: a patch changes, adds or deletes text files of one folder", n)
		}
	}
	return Patch{Head: string(head), files: files}, nil
}

func name(f *gitdiff.File) string {
	if f.NewName != "" {
		return f.NewName
	}
	return f.OldName
}

// Lines counts the lines that the patch takes away and adds.
func (p Patch) Lines() (n int) {
	for _, f := range p.files {
		for _, h := range f.TextFragments {
			n += int(h.LinesAdded + h.LinesDeleted)
		}
	}
	return n
}

// Apply returns base as the patch changes it. Each place of a change is found by its
// lines: where the patch says, or else at the one other place that has them, since
// what stands above may have grown. An error is a Misfit.
func (p Patch) Apply(base Files) (Files, error) {
	out := maps.Clone(base)
	for _, f := range p.files {
		n := name(f)
		old, ok := base[n]
		switch {
		case f.IsNew && ok:
			return nil, Misfit{n, "it is there already"}
		case !f.IsNew && !ok:
			return nil, Misfit{n, "there is no such file"}
		case f.IsDelete:
			delete(out, n)
			continue
		}
		moved := *f
		moved.TextFragments = nil
		from := int64(0)
		for _, h := range f.TextFragments {
			at, err := find(old, h, from)
			if err != nil {
				return nil, Misfit{n, err.Error()}
			}
			h2 := *h
			h2.OldPosition = at
			from = at + h.OldLines - 1
			moved.TextFragments = append(moved.TextFragments, &h2)
		}
		var b bytes.Buffer
		if err := gitdiff.Apply(&b, bytes.NewReader(old), &moved); err != nil {
			return nil, Misfit{n, err.Error()}
		}
		out[n] = b.Bytes()
	}
	return out, nil
}

// Reverse is the patch that undoes p.
func (p Patch) Reverse() Patch {
	back := Patch{Head: p.Head}
	for _, f := range p.files {
		r := *f
		r.OldName, r.NewName = f.NewName, f.OldName
		r.IsNew, r.IsDelete = f.IsDelete, f.IsNew
		r.OldOIDPrefix, r.NewOIDPrefix = f.NewOIDPrefix, f.OldOIDPrefix
		r.TextFragments = nil
		for _, h := range f.TextFragments {
			b := *h
			b.OldPosition, b.NewPosition = h.NewPosition, h.OldPosition
			b.OldLines, b.NewLines = h.NewLines, h.OldLines
			b.LinesAdded, b.LinesDeleted = h.LinesDeleted, h.LinesAdded
			b.Lines = nil
			for _, l := range h.Lines {
				switch l.Op {
				case gitdiff.OpAdd:
					l.Op = gitdiff.OpDelete
				case gitdiff.OpDelete:
					l.Op = gitdiff.OpAdd
				}
				b.Lines = append(b.Lines, l)
			}
			r.TextFragments = append(r.TextFragments, &b)
		}
		back.files = append(back.files, &r)
	}
	return back
}

// find returns the line, from 1, at which the fragment's old lines stand in text, below
// its first from lines.
func find(text []byte, h *gitdiff.TextFragment, from int64) (int64, error) {
	if h.OldLines == 0 {
		return h.OldPosition, nil // a new file
	}
	var want []string
	for _, l := range h.Lines {
		if l.Old() {
			want = append(want, l.Line)
		}
	}
	lines := slices.Collect(strings.Lines(string(text)))
	var found []int64
	for i := from; i+int64(len(want)) <= int64(len(lines)); i++ {
		if slices.Equal(lines[i:i+int64(len(want))], want) {
			if i+1 == h.OldPosition {
				return i + 1, nil
			}
			found = append(found, i+1)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return 0, fmt.Errorf("the lines at its line %d are not there any more", h.OldPosition)
	default:
		return 0, fmt.Errorf("the lines at its line %d stand there %d times", h.OldPosition, len(found))
	}
}

// Make returns the text of the patch that has the head and makes changed of base.
func Make(head string, base, changed Files) []byte {
	var b bytes.Buffer
	b.WriteString(strings.TrimRight(head, "\n") + "\n")
	names := slices.Sorted(maps.Keys(base))
	for name := range changed {
		if _, ok := base[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		old, was := base[name]
		now, is := changed[name]
		if was && is && bytes.Equal(old, now) {
			continue
		}
		fmt.Fprintf(&b, "\ndiff --git a/%s b/%s\n", name, name)
		from, to := "a/"+name, "b/"+name
		switch {
		case !was:
			fmt.Fprintf(&b, "new file mode 100644\nindex %s..%s\n", none, id(now))
			from = "/dev/null"
		case !is:
			fmt.Fprintf(&b, "deleted file mode 100644\nindex %s..%s\n", id(old), none)
			to = "/dev/null"
		default:
			fmt.Fprintf(&b, "index %s..%s 100644\n", id(old), id(now))
		}
		// The first line, "diff from to", is git's above.
		_, hunks, _ := bytes.Cut(diff.Diff(from, old, to, now), []byte("\n"))
		b.Write(hunks)
	}
	return b.Bytes()
}

const none = "000000000000"

// id is the name that git has for a file of this content, as short as it is surely
// one's own: by it, git finds what a patch was made for.
func id(content []byte) string {
	return fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(content), content)))[:len(none)]
}

// Base returns the names that git has for the files that the patch was made for.
func (p Patch) Base() map[string]string {
	ids := map[string]string{}
	for _, f := range p.files {
		if !f.IsNew {
			ids[name(f)] = f.OldOIDPrefix
		}
	}
	return ids
}

// Read reads the Go files of a folder, tests left out.
func Read(dir string) (Files, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	files := Files{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read what a patch is for: %w", err)
		}
		files[filepath.Base(path)] = b
	}
	return files, nil
}

// Write writes the files into dir, which is made if it is not there.
func (f Files) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write a patched source: %w", err)
	}
	for name, b := range f {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return fmt.Errorf("write a patched source: %w", err)
		}
	}
	return nil
}
