package check

import (
	"path/filepath"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/plan"
	"prokata/checker/internal/source/policy"
)

// breaches looks at the source before it is built, and reports whether it is refused:
// then it is neither built nor run.
func breaches(p plan.Plan, untrusted bool) (all []evidence.Breach, refused bool, err error) {
	strength := policy.Learner
	if untrusted {
		strength = policy.Untrusted
	}
	var vs []policy.Violation
	if p.Alone {
		vs, err = policy.CheckFile(filepath.Join(p.Source, p.Files[0]), strength)
	} else {
		vs, err = policy.Check(p.Source, strength)
	}
	for _, v := range vs {
		all = append(all, evidence.Breach{
			File: filepath.Join(p.Label, v.File), Line: v.Line, Rule: v.Rule, Message: v.Message, Refused: v.Refuse, Mistake: v.Mistake,
		})
	}
	refused = policy.Refused(vs)
	if p.Linked {
		// It may lead to anything that the grader can read: the solution, another's folder.
		all = append([]evidence.Breach{{
			File: p.Label, Rule: "file", Message: "it is a symbolic link: a submission is made of regular files", Refused: untrusted,
		}}, all...)
		refused = refused || untrusted
	}
	return all, refused, err
}
