package grade

import (
	"slices"

	"prokata/checker/internal/source/kata"
)

// A Step is the verdict on one step of a kata. It holds when all of its tests do.
type Step struct {
	Number  int     `json:"number"`
	Name    string  `json:"name"`
	Goal    string  `json:"goal"`
	Group   string  `json:"group"`
	Verdict Verdict `json:"verdict"`
	Points  int     `json:"points"` // what it is worth, if it holds
}

// climb gives the verdicts on the kata's steps, and counts their points.
func (v *Kata) climb(k kata.Kata) {
	for i, s := range k.Steps {
		step := Step{Number: i + 1, Name: s.Name, Goal: s.Goal, Group: string(s.Group), Points: points[s.Group]}
		var of []Test
		for _, t := range v.Tests {
			if t.Step == step.Number {
				of = append(of, t)
			}
		}
		step.Verdict = overall(of, false)
		v.Max += step.Points
		if step.Verdict == Pass {
			v.Score += step.Points
		}
		v.Steps = append(v.Steps, step)
	}
}

// Stands returns the step below which the program stands: the first that does not hold.
// It is false when all hold, and for a kata without steps.
func (v Kata) Stands() (Step, bool) {
	// A step none of whose tests can be run on this system holds nobody up.
	i := slices.IndexFunc(v.Steps, func(s Step) bool { return s.Verdict != Pass && !v.skipped(s) })
	if i < 0 {
		return Step{}, false
	}
	return v.Steps[i], true
}

func (v Kata) skipped(s Step) bool {
	return !slices.ContainsFunc(v.Tests, func(t Test) bool { return t.Step == s.Number && !t.Skipped() })
}
