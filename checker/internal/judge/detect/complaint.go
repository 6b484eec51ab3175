package detect

import (
	"regexp"
	"strconv"
	"strings"
)

// A complaint is what a test said as an expectation was not met, and at which line.
type complaint struct {
	file    string // without its folder
	line    int
	plain   []string // what t.Error or t.Fatal said; or else, of testify,
	kind    []string // what it says of the values
	message []string // and the test's own words
}

// begins is a line with which a test complains. What the program printed without an end
// of line may stand before it:
//
//	spawn_core_test.go:41: Run returned before child 2 had ended
var begins = regexp.MustCompile(`^(?:.*\s)?\s{3}(\w+_test\.go):(\d+): ?(.*)$`)

// complained finds the first complaint in what a test printed. One of testify comes as
// a block of labelled lines:
//
//	spawn_core_test.go:41:
//	    	Error Trace:	katas/01-spawn/spawn_core_test.go:41
//	    	Error:      	Not equal:
//	    	            	expected: 3
//	    	            	actual  : 2
//	    	Test:       	TestRun
//	    	Messages:   	Run printed too few lines
//
// What a test only notes (t.Log) looks the same as what t.Error says; it is taken for the
// complaint if nothing else comes.
func complained(output string) (_ complaint, said bool) {
	var c complaint
	label := ""
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\r\n")
		if m := begins.FindStringSubmatch(line); m != nil {
			if c.kind != nil || said && m[3] != "" && strings.Join(c.plain, "") != "" {
				break // the first is enough
			}
			c = complaint{file: m[1], plain: []string{m[3]}}
			c.line, _ = strconv.Atoi(m[2])
			label, said = "", true
			continue
		}
		if !said {
			continue
		}
		head, rest, found := strings.Cut(strings.TrimLeft(line, " "), "\t")
		name, text, labelled := strings.Cut(rest, "\t")
		if head != "" || !found || !labelled {
			if c.kind == nil && strings.HasPrefix(line, "        ") {
				c.plain = append(c.plain, line[8:]) // the lines below a plain complaint
			}
			continue
		}
		if name = strings.TrimRight(strings.TrimSpace(name), ":"); name != "" {
			label = name
		}
		text = strings.TrimRight(text, " \t")
		switch label {
		case "Error":
			c.kind = append(c.kind, text)
		case "Messages":
			c.message = append(c.message, text)
		}
	}
	return c, said
}

// most is how many lines of a complaint are told.
const most = 12

// words are the headline, what the program did wrong, and the proof: what was expected,
// and what was there.
func (c complaint) words() (headline string, proof []string) {
	if c.kind == nil {
		headline, proof = c.plain[0], c.plain[1:]
	} else {
		s, values := c.stock()
		switch {
		case s == "": // the words of assert.Fail are the test's own
			headline, proof = c.kind[0], append(c.kind[1:], c.message...)
		case c.message == nil:
			headline, proof = s, values
		default:
			headline, proof = c.message[0], append(c.message[1:], values...)
		}
	}
	var lines []string
	for _, line := range proof {
		if strings.TrimSpace(line) != "" {
			lines = append(lines, line)
		}
	}
	if headline = strings.TrimSpace(headline); headline == "" {
		headline = "the test failed without a word"
		if lines != nil {
			headline, lines = strings.TrimSpace(lines[0]), lines[1:]
		}
	}
	if len(lines) > most {
		lines = append(lines[:most], "…")
	}
	return headline, lines
}
