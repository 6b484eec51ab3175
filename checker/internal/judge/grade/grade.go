// Package grade turns findings into verdicts and scores.
package grade

import (
	"slices"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/source/kata"
)

// A Verdict is what a kata or a test is worth. Until something is proved it is
// NotRun.
type Verdict string

// The verdicts.
const (
	NotRun       Verdict = "not-run"
	NotStarted   Verdict = "not-started"
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Flaky        Verdict = "flaky"
	NotJudged    Verdict = "not-judged"    // the machine did not let it, which is nobody's fault
	CheckerError Verdict = "checker-error" // our fault, never the learner's
)

// A Test is the verdict on one test, over all repeats.
type Test struct {
	Name    string  `json:"name"`
	Group   string  `json:"group"`
	Step    int     `json:"step,omitempty"` // of the kata's steps, from 1
	Verdict Verdict `json:"verdict"`
	Seconds float64 `json:"seconds"`       // of the slowest repeat
	Why     string  `json:"why,omitempty"` // it was skipped

	Unwritten []string `json:"unwritten,omitempty"` // what it met that nobody has written yet: "queue: PutAll"
}

// Skipped reports whether the test could not be run on this system.
func (t Test) Skipped() bool { return t.Verdict == NotRun && t.Why != "" }

// A Kata is the verdict on one kata, over all repeats.
type Kata struct {
	Number    int               `json:"number"`
	Name      string            `json:"name"`
	Verdict   Verdict           `json:"verdict"`
	Score     int               `json:"score"`
	Max       int               `json:"max"`
	Passed    int               `json:"passed,omitempty"`  // of the repeats, if there was more than one
	Repeats   int               `json:"repeats,omitempty"` // if there was more than one
	Why       string            `json:"why,omitempty"`     // what stood in the way of a verdict
	Steps     []Step            `json:"steps,omitempty"`   // if the kata is climbed in steps
	Tests     []Test            `json:"tests"`
	Findings  []detect.Finding  `json:"findings"`
	Notes     []evidence.Breach `json:"notes,omitempty"`      // what in the source an instructor may want to look at
	Unchecked []string          `json:"unchecked,omitempty"`  // findings that this system cannot look for
	RaceBuilt bool              `json:"race_built,omitempty"` // one run at least was watched by Go's race detector
	Sandbox   string            `json:"sandbox,omitempty"`    // the tier of the sandbox in which it was built and run, if one was asked for
	Seconds   float64           `json:"seconds"`
	Cost      evidence.Cost     `json:"cost"` // processor time

	Untouched bool `json:"-"` // its stub is as it came, and was not run

	Kept bool `json:"-"` // it passed before, and nothing has changed since

	Folder string `json:"-"`
	Source string `json:"-"`
}

// points is what a step of each group is worth, or a test in a kata without steps.
var points = map[kata.Group]int{kata.Core: 3, kata.Bonus: 2, kata.Hard: 2}

// Points is what a step of the group is worth, or a test in a kata without steps.
func Points(group string) int { return points[kata.Group(group)] }

// Judge gives the verdict on kata k from the evidence of its runs. Without a run
// the verdict is NotRun.
func Judge(k kata.Kata, runs []evidence.Run) Kata {
	v := Kata{Number: k.Number, Name: k.Name, Folder: k.Folder, Verdict: NotRun, Tests: []Test{}, Findings: []detect.Finding{}}
	tests := map[string]*Test{}
	for _, t := range k.Tests {
		v.Tests = append(v.Tests, Test{Name: t.Name, Group: string(t.Group), Step: t.Step, Verdict: NotRun})
		if len(k.Steps) == 0 {
			v.Max += points[t.Group]
		}
	}
	for i := range v.Tests {
		tests[v.Tests[i].Name] = &v.Tests[i]
	}
	passed := map[string]int{}
	judged := 0
	whole := 0
	var before map[string]bool // the tests that passed in the run before
	wasClean := false
	for i, run := range runs {
		v.Seconds += run.Seconds + run.Build.Seconds
		v.Cost.Supervisor += run.Cost.Supervisor
		v.Cost.Watched += run.Cost.Watched
		v.Source, v.RaceBuilt = run.Source, v.RaceBuilt || run.RaceBuild
		if run.Sandbox != nil {
			v.Sandbox = run.Sandbox.Tier
		}
		for _, code := range run.Unchecked {
			if !slices.Contains(v.Unchecked, code) {
				v.Unchecked = append(v.Unchecked, code)
			}
		}
		if run.Fault != "" {
			v.Verdict, v.Why = CheckerError, run.Fault
			return v
		}
		// Both builds of one seed are one attempt: what either denies, it has not passed.
		again := i > 0 && runs[i-1].Seed == run.Seed && runs[i-1].RaceBuild != run.RaceBuild
		if !again {
			judged++
		}
		v.Notes = notes(run)
		findings := detect.All(run)
		guilty := map[string]bool{}
		for _, f := range findings {
			if f.Follows == "" {
				guilty[f.Test] = true
			}
			v.add(f)
		}
		clean := run.Build.OK && !guilty[""]
		now := map[string]bool{}
		for _, t := range run.Tests {
			verdict := one(t, guilty[t.Name] || len(run.Tampering) > 0)
			switch {
			case verdict != Pass:
				clean = false
				if again && before[t.Name] {
					passed[t.Name]--
				}
			case !again:
				passed[t.Name]++
			}
			now[t.Name] = verdict == Pass
			if tv := tests[t.Name]; tv != nil {
				tv.Seconds = max(tv.Seconds, t.Seconds)
				tv.Verdict = worse(tv.Verdict, verdict)
				switch {
				case verdict == NotJudged:
					tv.Why = t.Unjudged
				case verdict == NotRun && t.Status == evidence.Skipped:
					tv.Why = detect.Said(t.Output)
				case verdict == NotStarted:
					tv.Unwritten = slices.Compact(slices.Sorted(slices.Values(t.Todo)))
				}
			}
		}
		if !run.Build.OK {
			for _, t := range tests {
				t.Verdict = worse(t.Verdict, Fail)
			}
		}
		switch clean = clean && len(run.Tests) > 0; {
		case clean && !again:
			whole++
		case !clean && again && wasClean:
			whole--
		}
		before, wasClean = now, clean
	}
	if judged == 0 {
		v.climb(k)
		return v
	}
	for i := range v.Tests {
		t := &v.Tests[i]
		if n := passed[t.Name]; n > 0 && n < judged && t.Verdict != NotJudged {
			t.Verdict = Flaky
		}
		if t.Verdict == Pass && len(k.Steps) == 0 {
			k, _ := k.Test(t.Name)
			v.Score += points[k.Group]
		}
	}
	v.climb(k)
	if v.Verdict = overall(v.Tests, len(detect.Causes(v.Findings)) > 0); v.Verdict == NotJudged {
		i := slices.IndexFunc(v.Tests, func(t Test) bool { return t.Verdict == NotJudged })
		v.Why = v.Tests[i].Why
	}
	if judged > 1 {
		v.Passed, v.Repeats = whole, judged
		if whole > 0 && whole < judged && v.Verdict != NotJudged {
			v.Verdict = Flaky
		}
	}
	return v
}

// Untouched gives the verdict on a kata whose stub nobody has written in: not started, in
// every test.
func Untouched(k kata.Kata) Kata {
	v := Judge(k, nil)
	v.Verdict, v.Untouched = NotStarted, true
	for i := range v.Tests {
		v.Tests[i].Verdict = NotStarted
	}
	for i := range v.Steps {
		v.Steps[i].Verdict = NotStarted
	}
	return v
}

// notes are those breaches of the policy for which a source is not refused.
func notes(run evidence.Run) (all []evidence.Breach) {
	for _, b := range run.Policy {
		if !b.Refused {
			all = append(all, b)
		}
	}
	return all
}

// one is the verdict on one test in one run. What was met before it was written makes
// all else that happened in the test say nothing; and it earns nothing.
func one(t evidence.Test, guilty bool) Verdict {
	switch {
	case guilty:
		return Fail
	case len(t.Todo) > 0:
		return NotStarted
	case t.Unjudged != "":
		return NotJudged
	case t.Status == evidence.Passed:
		return Pass
	case t.Status == evidence.Failed || t.Status == evidence.Aborted:
		return Fail
	default:
		return NotRun
	}
}

// rank orders verdicts: of several runs the worst counts.
var rank = map[Verdict]int{NotRun: 0, Pass: 1, NotStarted: 2, NotJudged: 3, Fail: 4}

func worse(a, b Verdict) Verdict {
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// overall is the verdict on a kata from those on its tests. A test that could not
// be run on this system is no reason against a pass, but one that nobody skipped
// and that did not run is.
func overall(tests []Test, findings bool) Verdict {
	count := map[Verdict]int{}
	for _, t := range tests {
		count[t.Verdict]++
		if t.Verdict == NotRun && !t.Skipped() {
			count[Fail]++
		}
	}
	switch {
	case findings:
		return Fail
	case count[NotJudged] > 0 && count[Fail] == 0:
		return NotJudged
	case count[Flaky] > 0:
		return Flaky
	case count[NotRun] == len(tests):
		return NotRun
	case count[NotStarted]+count[NotRun] == len(tests):
		return NotStarted
	case count[Pass] > 0 && count[Fail]+count[NotStarted] == 0:
		return Pass
	default:
		return Fail
	}
}

// add keeps each finding once, however many repeats show it, and as a cause if one of
// them shows it as such.
func (v *Kata) add(f detect.Finding) {
	i := slices.IndexFunc(v.Findings, func(g detect.Finding) bool {
		return g.Code == f.Code && g.Test == f.Test && g.File == f.File && g.Line == f.Line
	})
	switch {
	case i < 0:
		v.Findings = append(v.Findings, f)
	case f.Follows == "":
		v.Findings[i].Follows = ""
	}
}
