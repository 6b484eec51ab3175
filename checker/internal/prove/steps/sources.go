package steps

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/patch"
)

// ErrNone says that a kata is not climbed in steps.
var ErrNone = errors.New("the kata has no steps")

// Sources returns what the climb goes through: at 0 the stub as it came, at n the source
// after step n. It is read from the solution downwards, so it does not depend on what a
// learner has made of the stub.
func Sources(root string, k kata.Kata) ([]patch.Files, error) {
	if len(k.Steps) == 0 {
		return nil, ErrNone
	}
	at, err := patch.Read(filepath.Join(root, "solutions", k.Folder))
	if err != nil {
		return nil, err
	}
	all := []patch.Files{at}
	for i := len(k.Steps) - 1; i >= 0; i-- {
		path := filepath.Join(Dir(root, k), file(i+1, k.Steps[i].Name))
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read a witness: %w", err)
		}
		p, err := patch.Parse(text)
		if err == nil {
			at, err = p.Reverse().Apply(at)
		}
		if err != nil {
			return nil, fmt.Errorf("%s cannot be taken back from what follows it: %w", filepath.Base(path), err)
		}
		all = append(all, at)
	}
	slices.Reverse(all)
	return all, nil
}
