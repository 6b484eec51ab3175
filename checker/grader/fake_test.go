package main

import (
	"bytes"
	"context"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"prokata/checker/internal/class/grading"
	"prokata/checker/internal/class/store"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/prove/flaw"
	"prokata/checker/internal/source/kata"
)

// A fake judges the sample class without running anything: it knows the solutions, the
// stubs and the known mistakes by their text, and what each mistake's head says of it.
// That the heads are true is what verify proves.
type fake struct {
	root  string
	katas []kata.Kata
	flaws map[string][]flaw.Want // by text
	begun func(store.Job)        // told of each job, if set
}

func newFake(root string, katas []kata.Kata, dir string) (*fake, error) {
	f := &fake{root: root, katas: katas, flaws: map[string][]flaw.Want{}}
	if dir == "" {
		return f, nil
	}
	for _, k := range katas {
		all, _, err := flaw.All(root, k.Folder)
		if err != nil {
			return nil, err
		}
		for _, one := range all {
			source, err := one.Source(dir)
			if err != nil {
				return nil, err
			}
			if text, err := os.ReadFile(filepath.Join(source, k.Files[0])); err == nil {
				f.flaws[plain(text)] = one.Wants
			}
		}
	}
	return f, nil
}

// by makes it the grader's judge.
func (f *fake) by(asked, string, []kata.Kata) (grading.Judge, string, error) {
	judge := func(_ context.Context, j store.Job) (grade.Kata, error) {
		if f.begun != nil {
			f.begun(j)
		}
		return f.judge(j)
	}
	return judge, "none: a fake judges", nil
}

var remark = regexp.MustCompile(`\n// [^\n]*\n$`)

// plain takes off what disguises a text.
func plain(text []byte) string {
	text = bytes.ReplaceAll(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), []byte("\r\n"), []byte("\n"))
	return remark.ReplaceAllString(string(text), "")
}

func (f *fake) judge(j store.Job) (grade.Kata, error) {
	k := f.katas[slices.IndexFunc(f.katas, func(k kata.Kata) bool { return k.Folder == j.Kata })]
	text := j.Files[k.Files[0]]
	is := func(dir string) bool {
		b, err := os.ReadFile(filepath.Join(dir, k.Files[0]))
		return err == nil && plain(b) == plain(text)
	}
	run := evidence.Run{Build: evidence.Build{OK: true}}
	code := ""
	var findings []detect.Finding
	for _, t := range k.Tests {
		run.Tests = append(run.Tests, evidence.Test{Name: t.Name, Status: evidence.Passed})
	}
	wants, known := f.flaws[plain(text)]
	_, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	switch {
	case is(filepath.Join(f.root, "solutions", k.Folder)):
	case is(k.Dir):
		for i := range run.Tests {
			run.Tests[i].Todo, run.Tests[i].Status = []string{"Run"}, evidence.Failed
		}
	case known:
		for _, w := range wants {
			if w.Optional {
				continue
			}
			for _, name := range w.Tests {
				findings = append(findings, detect.Finding{Code: w.Code, Test: name, Message: "as its head says", Next: "mend it"})
				i := slices.IndexFunc(run.Tests, func(t evidence.Test) bool { return t.Name == name })
				run.Tests[i].Status = evidence.Failed
			}
		}
	case err != nil || !strings.Contains(string(text), "package "+k.Package()):
		code, run.Build, run.Tests = "build", evidence.Build{}, nil
	case strings.Contains(string(text), "// Attack: "):
		code, run.Build, run.Tests = "tamper", evidence.Build{}, nil
	default:
		return grade.Kata{}, fmt.Errorf("it is neither a solution nor a known mistake: %.60q", text)
	}
	v := grade.Judge(k, []evidence.Run{run})
	if v.Findings = findings; code != "" {
		v.Findings = []detect.Finding{{Code: code, Message: "as it is", Next: "mend it"}}
	}
	return v, nil
}
