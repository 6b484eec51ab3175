package detect

import (
	"fmt"

	"prokata/checker/internal/evidence"
)

var sharedRace = Detector{
	Code:  "shared-race",
	Title: "two processes used one word of shared memory, and nothing ordered them",
	Doc: `One process was in the middle of a plain access to a shared word when another one
touched the same word, and at least one of them wrote. A lock that both hold around the
whole access makes this impossible; so no lock did. The accesses were watched across
processes, which Go's own race detector cannot do.

WRONG   m.Store(0, m.Load(0)+1)
RIGHT   lock.Lock(); m.Store(0, m.Load(0)+1); lock.Unlock()
RIGHT   m.Add(0, 1)

A sync.Mutex is a lock among the goroutines of one process only.`,
	Detect: func(run evidence.Run) []Finding {
		var all []Finding
		for _, t := range run.Tests {
			seen := map[string]bool{}
			for _, r := range t.SharedRaces {
				if r.Expected {
					continue
				}
				f := Finding{
					Code: "shared-race", Test: t.Name, Message: "two processes used the same shared word at the same time",
					Next: "hold one lock, shared by the processes, around the whole access",
				}
				f, key := f.between(run, r.Accesses, func(a evidence.Access, at string) string {
					return fmt.Sprintf("word %d: %s by pid %d at %s", r.Word, a.Op, a.PID, at)
				})
				if !seen[key] {
					seen[key] = true
					all = append(all, f)
				}
			}
		}
		return all
	},
}
