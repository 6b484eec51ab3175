package check

import (
	"path/filepath"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/intake"
	"prokata/checker/internal/source/plan"
	"prokata/checker/internal/source/policy"
)

// breaches looks at the source before it is built, and reports whether it is refused:
// then it is neither built nor run.
func breaches(p plan.Plan, untrusted bool) (all []evidence.Breach, refused bool) {
	strength := policy.Learner
	if untrusted {
		strength = policy.Untrusted
	}
	vs := policy.Check(p.Taken, strength)
	for _, v := range vs {
		all = append(all, evidence.Breach{
			File: filepath.Join(p.Label, v.File), Line: v.Line, Rule: v.Rule, Message: v.Message, Refused: v.Refuse, Mistake: v.Mistake,
		})
	}
	refused = policy.Refused(vs)
	if p.Linked {
		// It may lead to anything that the grader can read: the solution, another's folder.
		all = append([]evidence.Breach{{
			File: p.Label, Rule: "file", Message: intake.ErrLink.Error(), Refused: true, Mistake: !untrusted,
		}}, all...)
		refused = true
	}
	return all, refused
}
