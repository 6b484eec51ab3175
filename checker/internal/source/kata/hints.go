package kata

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Levels is how many hints there are for each step: a nudge, a direction, nearly the
// answer.
const Levels = 3

var (
	section    = regexp.MustCompile(`(?m)^## `)
	subsection = regexp.MustCompile(`(?m)^### `)
)

// Hints returns the hints of a step, or of a kata without steps (step 0), in the order
// of what they give away. They stand in hints.md: a section for each step, by its name,
// with a part for each level; or, without steps, a section for each level.
func (k Kata) Hints(step int) ([]string, error) {
	b, err := os.ReadFile(filepath.Join(k.Dir, "hints.md"))
	if err != nil {
		return nil, fmt.Errorf("read the hints: %w", err)
	}
	sections := section.Split(string(b), -1)[1:]
	if len(k.Steps) == 0 {
		return sections, nil
	}
	for _, text := range sections {
		name, text, _ := strings.Cut(text, "\n")
		if strings.TrimSpace(name) == k.Steps[step-1].Name {
			return subsection.Split(text, -1)[1:], nil
		}
	}
	return nil, nil
}

// HintsAmiss says which hints are missing.
func (k Kata) HintsAmiss() (amiss []string) {
	for i := range max(1, len(k.Steps)) {
		where := "it"
		step := 0
		if len(k.Steps) > 0 {
			step = i + 1
			where = "step " + k.Steps[i].Name
		}
		hints, err := k.Hints(step)
		if err != nil {
			return nil // that the file is missing is said elsewhere
		}
		if len(hints) != Levels {
			amiss = append(amiss, fmt.Sprintf("%s needs three hints, and has %d: a nudge, a direction, nearly the answer", where, len(hints)))
		}
	}
	return amiss
}
