package verify

import (
	"fmt"

	"prokata/checker/internal/prove/contract"
	"prokata/checker/internal/prove/flaw"
	"prokata/checker/internal/source/kata"
)

// A Contract says how much of what a kata promises is broken by a known mistake.
type Contract struct {
	Kata      string
	Sentences int // that promise something
	Open      int // that nothing breaks
}

// contract compares the sentences of the stub's comments with those that the flaws say
// they break.
func (v *verifier) contract(k kata.Kata, flaws []flaw.Flaw) {
	next := "bin/checker contract " + k.Name
	c, err := contract.Read(k)
	if err != nil {
		v.problem(k.Folder, err.Error(), next)
		return
	}
	excused, err := contract.Excuses(v.o.Root, k)
	if err != nil {
		v.problem(k.Folder, err.Error(), next)
		return
	}
	var breaks []string
	for _, f := range flaws {
		if _, stale := c.Covered(f.Breaks); len(stale) > 0 {
			v.problem(f.Name, fmt.Sprintf("it breaks what the stub does not say: %q", stale[0]), next)
		}
		breaks = append(breaks, f.Breaks...)
	}
	none, stale := c.Covered(excused.Quotes)
	if len(stale) > 0 {
		v.problem(k.Folder, fmt.Sprintf("testdata/contract/%s.txt excuses what the stub does not say: %q", k.Folder, stale[0]), next)
	}
	open, _ := c.Open(breaks, excused.Quotes)
	v.t.Contracts = append(v.t.Contracts, Contract{k.Name, len(c.Sentences) - len(none), len(open)})
	if len(open) > excused.Open {
		v.problem(k.Folder, fmt.Sprintf("%d sentences of the contract are broken by no known mistake, more than the %d of testdata/contract/%s.txt; the last is: %s",
			len(open), excused.Open, k.Folder, open[len(open)-1].Text), next)
	}
}
