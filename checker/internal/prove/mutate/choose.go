package mutate

import (
	"fmt"
	"slices"
	"strings"
)

// Spread chooses n of the mutants so that each operator has its share. The
// choice depends on the IDs alone: it stays while the sources stay.
func Spread(ms []Mutant, n int) []Mutant {
	byOperator := map[string][]Mutant{}
	for _, m := range ms {
		byOperator[m.Operator] = append(byOperator[m.Operator], m)
	}
	var names []string
	for name, group := range byOperator {
		names = append(names, name)
		slices.SortFunc(group, func(a, b Mutant) int { return strings.Compare(a.ID, b.ID) })
	}
	slices.Sort(names)
	var chosen []Mutant
	for round := 0; len(chosen) < min(n, len(ms)); round++ {
		for _, name := range names {
			if group := byOperator[name]; round < len(group) && len(chosen) < n {
				chosen = append(chosen, group[round])
			}
		}
	}
	return chosen
}

// ReadEquivalent reads the list of mutants that no test can kill because they
// do the same as the original, each with the reason:
//
//	# 01-spawn
//	1f2e3d4c  the kernel closes it at the exit of the child
func ReadEquivalent(text string) (map[string]string, error) {
	reasons := map[string]string{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, reason, _ := strings.Cut(line, " ")
		if reason = strings.TrimSpace(reason); reason == "" {
			return nil, fmt.Errorf("equivalent mutants: line %d: %s has no reason", number, id)
		}
		if reasons[id] != "" {
			return nil, fmt.Errorf("equivalent mutants: line %d: %s stands there twice", number, id)
		}
		reasons[id] = reason
	}
	return reasons, nil
}
