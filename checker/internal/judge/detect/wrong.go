package detect

import (
	"path/filepath"

	"prokata/checker/internal/evidence"
)

var wrong = Detector{
	Code:  "wrong",
	Title: "a test's expectation was not met",
	Doc: `The program ran to its end and did something else than the kata asks for. The test's
own words say what was expected; the test's name and file say where to read more.

WRONG   results[<-done] = r        // in the order of arrival
RIGHT   results[task.Index] = r    // in the order of the input`,
	Detect: func(run evidence.Run) []Finding {
		var all []Finding
		for _, t := range run.Tests {
			// A test that hung or crashed may have said before what was wrong.
			c, said := complained(t.Output)
			at, hung := stoppedAt(t)
			switch {
			case unwritten(t):
				continue
			case t.Status == evidence.Failed:
			case t.Status == evidence.Aborted && (c.kind != nil || hung): // else it may be a note (t.Log)
			default:
				continue
			}
			f := Finding{Code: "wrong", Test: t.Name, Next: "read the test at the line named, and make the program do that"}
			switch {
			case t.Unearned != "":
				f.Message, f.Next = t.Unearned, "let the functions that the test calls return, with an error if something went wrong"
			case said:
				f.Message, f.Detail = c.words()
				f.File, f.Line = filepath.Join("katas", run.Kata, c.file), c.line
			case hung:
				f.Message = "an assertion of the test failed, and what it said was lost as the test's end hung"
				f.File, f.Line = filepath.Join("katas", run.Kata, filepath.Base(at.File)), at.Line
			default:
				f.Message = "the test failed without a word"
			}
			all = append(all, f)
		}
		return all
	},
}

// unwritten reports whether a test met a function that nobody has written yet.
func unwritten(t evidence.Test) bool { return len(t.Todo) > 0 }

// Said returns what a test said first: why it failed, or why it was skipped.
func Said(output string) string {
	c, said := complained(output)
	if !said {
		return "the test failed without a word"
	}
	message, _ := c.words()
	return message
}
