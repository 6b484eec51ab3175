package intake

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A bundle is a submission that has been found and not yet been read: names below the
// class's folder.
type bundle struct {
	Submission

	parts []part
}

// A part is a file or a folder of a bundle.
type part struct {
	path string // below the class's folder
	name string // what its owner had called it; path's own if empty
}

// find lists the bundles in the folder, by the layout that it has.
func find(root *os.Root) ([]bundle, error) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("list the submissions: %w", err)
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return ignored(e.Name()) })
	if all, ok, err := gradescope(root, entries); ok || err != nil {
		return all, err
	}
	if some(entries, moodleName) {
		return moodle(root, entries), nil
	}
	if some(entries, canvasName) {
		return canvas(root, entries), nil
	}
	return plain(root, entries), nil
}

// ignored are the files that systems leave in folders.
func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || name == "__MACOSX" || strings.EqualFold(name, "Thumbs.db") || strings.EqualFold(name, "desktop.ini")
}

func some(entries []fs.DirEntry, pattern *regexp.Regexp) bool {
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return pattern.MatchString(e.Name()) })
}

// Canvas, "Download Submissions": "lovelaceada_LATE_1042_77810_spawn.go".
var canvasName = regexp.MustCompile(`^([^_]+)_(?:(LATE)_)?(\d+)_(\d+)_(.+)$`)

// canvas joins the files of one user: each is an entry of its own.
func canvas(root *os.Root, entries []fs.DirEntry) (all []bundle) {
	at := map[string]int{}
	for _, e := range entries {
		m := canvasName.FindStringSubmatch(e.Name())
		if m == nil {
			all = append(all, bundle{Submission: Submission{Label: e.Name(), At: changed(root, e.Name()), Who: []Who{{Kind: "folder", ID: stem(e.Name())}}}, parts: []part{{path: e.Name()}}})
			continue
		}
		i, ok := at[m[3]]
		if !ok {
			i = len(all)
			at[m[3]] = i
			all = append(all, bundle{Submission: Submission{Label: m[1] + "_" + m[3], Who: []Who{{Kind: "canvas", ID: m[3]}}}})
		}
		b := &all[i]
		b.Late = b.Late || m[2] != ""
		b.At = later(b.At, changed(root, e.Name()))
		b.parts = append(b.parts, part{path: e.Name(), name: m[5]})
	}
	return all
}

// Moodle, "Download all submissions": "Ada Lovelace_3127_assignsubmission_file/spawn.go"
// (older: "…_file_/"), or without folders "Ada Lovelace_3127_assignsubmission_file_spawn.go".
var moodleName = regexp.MustCompile(`^(.+)_(\d+)_assignsubmission_(file|onlinetext)_?(.*)$`)

func moodle(root *os.Root, entries []fs.DirEntry) (all []bundle) {
	at := map[string]int{}
	for _, e := range entries {
		m := moodleName.FindStringSubmatch(e.Name())
		if m == nil {
			all = append(all, bundle{Submission: Submission{Label: e.Name(), At: changed(root, e.Name()), Who: []Who{{Kind: "folder", ID: stem(e.Name())}}}, parts: []part{{path: e.Name()}}})
			continue
		}
		i, ok := at[m[2]]
		if !ok {
			i = len(all)
			at[m[2]] = i
			all = append(all, bundle{Submission: Submission{Label: m[1] + "_" + m[2], Who: []Who{{Kind: "moodle", ID: m[2], Name: m[1]}}}})
		}
		b := &all[i]
		b.At = later(b.At, changed(root, e.Name()))
		b.parts = append(b.parts, part{path: e.Name(), name: m[4]})
	}
	return all
}

// metadata is the file that a Gradescope export explains itself with.
const metadata = "submission_metadata.yml"

// gradescope reads "assignment_7_export/submission_metadata.yml", in the folder or in the
// one folder that it holds:
//
//	submission_412:
//	  :submitters:
//	  - :name: Ada Lovelace
//	    :sid: "1815"
//	    :email: ada@example.edu
//	  :created_at: 2026-11-02 09:14:55.120 Z
func gradescope(root *os.Root, entries []fs.DirEntry) (all []bundle, ok bool, err error) {
	base := "."
	if len(entries) == 1 && entries[0].IsDir() {
		base = entries[0].Name()
	}
	name := filepath.Join(base, metadata)
	if info, err := root.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return nil, false, nil // also where the one folder cannot be read: that is told of it
	}
	b, err := readFile(root, name, 32<<20)
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", name, err)
	}
	var told map[string]struct {
		Submitters []struct {
			Name  string `yaml:":name"`
			SID   string `yaml:":sid"`
			Email string `yaml:":email"`
		} `yaml:":submitters"`
		CreatedAt string `yaml:":created_at"`
	}
	if err := yaml.Unmarshal(b, &told); err != nil {
		return nil, false, fmt.Errorf("%s is not what Gradescope writes: %w: download the export again", name, err)
	}
	inside, err := fs.ReadDir(root.FS(), base)
	if err != nil {
		return nil, false, fmt.Errorf("list the submissions: %w", err)
	}
	for _, e := range inside {
		if e.Name() == metadata || ignored(e.Name()) {
			continue
		}
		b := bundle{Submission: Submission{Label: e.Name()}, parts: []part{{path: filepath.Join(base, e.Name())}}}
		t, known := told[e.Name()]
		if !known {
			b.Notes = append(b.Notes, metadata+" says nothing of it")
		}
		b.At, _ = time.Parse("2006-01-02 15:04:05.999999999 Z07:00", t.CreatedAt)
		for _, s := range t.Submitters {
			b.Who = append(b.Who, Who{Kind: "gradescope", ID: s.SID, Name: s.Name, Email: s.Email})
		}
		all = append(all, b)
		delete(told, e.Name())
	}
	for name := range told {
		all = append(all, bundle{Submission: Submission{Label: name, Broken: metadata + " names it, and it is not there: download the export again"}})
	}
	slices.SortFunc(all, func(a, b bundle) int { return strings.Compare(a.Label, b.Label) })
	return all, true, nil
}

// plain takes each folder, archive or Go file as the submission of whom it is named after.
func plain(root *os.Root, entries []fs.DirEntry) (all []bundle) {
	for _, e := range entries {
		if !e.IsDir() && !archive(e.Name()) && filepath.Ext(e.Name()) != ".go" && e.Type().IsRegular() {
			continue // the roster itself, notes: no submission
		}
		b := bundle{Submission: Submission{Label: e.Name(), At: changed(root, e.Name()), Who: []Who{{Kind: "folder", ID: stem(e.Name())}}}, parts: []part{{path: e.Name()}}}
		all = append(all, b)
	}
	return all
}

// stem is a name without the ending of an archive or a source.
func stem(name string) string {
	for _, ext := range []string{".tar.gz", ".tgz", ".zip", ".go"} {
		if n := len(name) - len(ext); n > 0 && strings.EqualFold(name[n:], ext) {
			return name[:n]
		}
	}
	return name
}

func changed(root *os.Root, name string) time.Time {
	info, err := root.Lstat(name)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
