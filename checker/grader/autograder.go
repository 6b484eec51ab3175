package main

import (
	"archive/zip"
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/kata"
)

// scripts are what Gradescope runs: setup.sh when the assignment is made, run_autograder
// for each submission (gradescope-autograders.readthedocs.io/en/latest/specs).
//
//go:embed autograder
var scripts embed.FS

func newAutograder() *cobra.Command {
	return &cobra.Command{
		Use: "autograder KATA FILE.zip", Short: "Make the zip that Gradescope grades one kata with", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			root, err := kata.Root(".")
			if err != nil {
				return usage{err}
			}
			all, err := kata.All(root)
			if err != nil {
				return usage{err}
			}
			chosen, err := kata.Select(all, args[:1])
			if err != nil {
				return usage{err}
			}
			if len(chosen) != 1 {
				return usage{fmt.Errorf("an autograder grades one kata, not %d", len(chosen))}
			}
			text, err := autograder(root, chosen[0])
			if err != nil {
				return fmt.Errorf("make the autograder: %w", err)
			}
			if err := replace(args[1], text); err != nil {
				return fmt.Errorf("write the autograder: %w", err)
			}
			most := 0
			for _, s := range chosen[0].Steps {
				most += grade.Points(string(s.Group))
			}
			for _, t := range chosen[0].Tests {
				if t.Step == 0 {
					most += grade.Points(string(t.Group))
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "made %s: give the assignment %d points, as many as the kata's steps have\n", args[1], most)
			return nil
		},
	}
}

// autograder is the zip: the scripts, and of the repository what grades, without the
// solutions and the known mistakes.
func autograder(root string, k kata.Kata) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, text []byte, mode fs.FileMode) error {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(mode)
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	}
	for _, name := range []string{"setup.sh", "run_autograder"} {
		text, err := scripts.ReadFile("autograder/" + name)
		if err != nil {
			return nil, err
		}
		text = bytes.ReplaceAll(text, []byte("@KATA@"), []byte(k.Name))
		text = bytes.ReplaceAll(text, []byte("@GO@"), []byte(runtime.Version()))
		if err := add(name, text, 0o755); err != nil {
			return nil, err
		}
	}
	for _, part := range []string{"go.mod", "go.sum", "katas", "checker"} {
		err := filepath.WalkDir(filepath.Join(root, part), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil || part == "checker" && strings.HasSuffix(name, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return add(filepath.ToSlash(filepath.Join("prokata", name)), text, 0o644)
		})
		if err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
