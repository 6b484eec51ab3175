package intake

import (
	"errors"
	"fmt"
	"os"

	"prokata/checker/internal/source/intake"
	"prokata/checker/internal/source/kata"
)

// Read finds and reads all submissions in the folder dir. What is wrong with one is in
// it; the error is about the folder.
func Read(dir string, katas []kata.Kata) ([]Submission, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("the class's folder %s: %w", dir, intake.Reasoned(err))
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a folder: unpack the download of your course system first, and name the folder", dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("the class's folder %s: %w", dir, intake.Reasoned(err))
	}
	defer root.Close()
	bundles, err := find(root)
	if err != nil {
		return nil, err
	}
	if len(bundles) == 0 {
		return nil, fmt.Errorf("%s holds no submission: it should hold a folder, a .zip or a .tar.gz for each student, or be what Canvas, Moodle or Gradescope export", dir)
	}
	all := make([]Submission, len(bundles))
	for i, b := range bundles {
		all[i] = b.read(root, katas)
	}
	return all, nil
}

// read reads the files of one submission.
func (b bundle) read(root *os.Root, katas []kata.Kata) Submission {
	s := b.Submission
	if s.Broken != "" {
		return s
	}
	var p pile
	for _, it := range b.parts {
		err := p.part(root, it)
		var why errBroken
		if errors.As(err, &why) {
			s.Broken = why.why
			return s
		}
	}
	s.Sources = p.sources(katas)
	s.Notes = append(s.Notes, p.notes...)
	if len(s.Sources) == 0 {
		s.Broken = "it holds no Go file that belongs to a kata"
	}
	return s
}
