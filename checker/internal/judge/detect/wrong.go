package detect

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

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
			if t.Status != evidence.Failed || unwritten(t) {
				continue
			}
			f := Finding{Code: "wrong", Test: t.Name, Next: "read the test at the line named, and make the program do that"}
			f.Message, f.Detail = failure(t.Output)
			f.File, f.Line = where(run, t.Output)
			all = append(all, f)
		}
		return all
	},
}

// unwritten reports whether a test failed because it met a function that nobody has
// written yet.
func unwritten(t evidence.Test) bool { return len(t.Todo) > 0 }

// log is a line with which a test complains:
//
//	spawn_core_test.go:41: Run returned before child 2 had ended
var log = regexp.MustCompile(`^\s+(\w+_test\.go):(\d+): ?(.*)$`)

// failure takes the message and what explains it out of what a test printed. A
// message of testify comes as a block of labelled lines:
//
//	spawn_core_test.go:41:
//	    	Error Trace:	katas/01-spawn/spawn_core_test.go:41
//	    	Error:      	Not equal:
//	    	            	expected: 3
//	    	            	actual  : 2
//	    	Test:       	TestRun
//	    	Messages:   	Run printed too few lines
func failure(output string) (message string, detail []string) {
	label, fields := "", map[string][]string{}
	plain, more := "", []string(nil)
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\n")
		if m := log.FindStringSubmatch(line); m != nil {
			if len(fields["Error"]) > 0 || plain != "" {
				break // the first complaint is enough
			}
			plain = m[3]
			continue
		}
		head, rest, found := strings.Cut(strings.TrimLeft(line, " "), "\t")
		if head != "" || !found {
			if plain != "" && strings.HasPrefix(line, "        ") {
				more = append(more, line[8:]) // the lines below a plain complaint
			}
			continue
		}
		name, text, found := strings.Cut(rest, "\t")
		if !found {
			continue
		}
		if name = strings.TrimRight(strings.TrimSpace(name), ":"); name != "" {
			label = name
		}
		fields[label] = append(fields[label], strings.TrimRight(text, " \t"))
	}
	message = plain
	if m := fields["Messages"]; len(m) > 0 {
		message = m[0]
		detail = append(detail, m[1:]...)
	}
	if message == "" && len(fields["Error"]) > 0 {
		message, fields["Error"] = strings.TrimSpace(fields["Error"][0]), fields["Error"][1:]
	}
	if message == "" {
		message = "the test failed without a word"
	}
	detail = append(detail, more...)
	for _, line := range fields["Error"] {
		if strings.HasPrefix(line, "Diff:") {
			break // the two values stand above it
		}
		if strings.TrimSpace(line) != "" {
			detail = append(detail, line)
		}
	}
	if len(detail) > 12 {
		detail = append(detail[:12], "…")
	}
	return message, detail
}

// where is the test's line that complained.
func where(run evidence.Run, output string) (string, int) {
	for line := range strings.Lines(output) {
		if m := log.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			n, _ := strconv.Atoi(m[2])
			return filepath.Join("katas", run.Kata, m[1]), n
		}
	}
	return "", 0
}

// Said returns what a test said first: why it failed, or why it was skipped.
func Said(output string) string {
	message, _ := failure(output)
	return message
}
