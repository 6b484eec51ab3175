package policy

import (
	"strings"

	"prokata/checker/internal/source/intake"
)

// files says what is to be said of the files of a submission, before what they hold.
func files(taken intake.Submission, s Strength) (vs []Violation) {
	untrusted := s == Untrusted
	for _, e := range taken.Left {
		v := Violation{File: e.Name, Rule: "file", Message: "it " + e.What, Refuse: true}
		switch e.Reason {
		case intake.Compiled:
			v.Message = "only Go files can be part of a kata"
		case intake.Irregular:
			v.Message += ": a submission is made of regular files"
		case intake.Unread:
			v.Mistake = true // which happens to the honest
		case intake.Large, intake.Many:
			v.Rule, v.Mistake = "size", true
		case intake.Test:
			v.Rule, v.Message, v.Refuse = "ignored", "a submission brings no tests: the kata's own are used", false
		case intake.Folder, intake.Strange:
			v.Rule, v.Message, v.Refuse = "ignored", v.Message+" and was not looked at", false
		case intake.Passed:
			continue // it is not built either
		}
		if v.Refuse || untrusted {
			vs = append(vs, v)
		}
	}
	for _, f := range taken.Files {
		if !plain(f.Name) {
			vs = append(vs, Violation{File: f.Name, Rule: "file", Message: "the name may hold lower-case letters, digits and underscores only", Refuse: untrusted})
		}
	}
	return vs
}

// plain tells a name that no tool takes for something else: an option, a path,
// a file of another system or letter case.
func plain(name string) bool {
	name = strings.TrimSuffix(name, ".go")
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
