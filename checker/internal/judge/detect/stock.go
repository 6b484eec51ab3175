package detect

import (
	"regexp"
	"strings"
)

// A stock is what testify says of the two values that it compared, and what a person is
// told instead: a sentence for a test that has none of its own, and what was expected
// and what was there. $1 and $2 are what the expression took out of the text; text in
// which a newline is no border.
type stock struct {
	says             *regexp.Regexp
	sentence         string
	expected, actual string // a line each, if not empty
}

func kind(says, sentence, expected, actual string) stock {
	return stock{regexp.MustCompile(`(?s)^` + says), sentence, expected, actual}
}

// The kinds of testify v1.12, as far as the katas' tests use them.
var stocks = []stock{
	kind(`Not equal(?: \(comparing only exported fields\))?:\s*expected: (.*?)\nactual  ?: (.*?)(?:\n\nDiff:.*|\nDiff:.*)?$`, "the program gave something else than it should", "$1", "$2"),
	kind(`Received unexpected error:\n(.*)$`, "a call returned an error that it should not", "no error", "$1"),
	kind(`An error is expected but got nil\.(?:\nexpected: (.*))?$`, "a call returned no error where it should", "an error", "none"),
	kind(`Expected error with (.*) in chain but got nil\.$`, "a call returned no error where it should", "an error that wraps $1", "none"),
	kind(`Target error should be in err chain:\nexpected: (.*?)\nin chain: (.*?)(?:\n.*)?$`, "a call returned another error than it should", "an error that wraps $1", "$2"),
	kind(`Should be in error chain:\nexpected: (.*?)\nin chain: (.*?)(?:\n.*)?$`, "a call returned another kind of error than it should", "an error of the type $1", "$2"),
	kind(`Target error should not be in err chain:\nfound: (.*?)\nin chain: (.*?)(?:\n.*)?$`, "a call returned an error that it should not", "an error that does not wrap $1", "$2"),
	kind(`Error message not equal:\nexpected: (.*?)\nactual  ?: (.*)$`, "an error said something else than it should", "$1", "$2"),
	kind(`Error (.*) does not contain (.*)$`, "an error did not say what it should", "an error that says $2", "$1"),
	kind(`Should be true$`, "something that must hold did not", "", ""),
	kind(`Should be false$`, "something was so that must not be", "", ""),
	kind(`Should be empty, but was ?(.*)$`, "there was something where nothing should be", "nothing", "$1"),
	kind(`Should NOT be empty, but was ?(.*)$`, "there was nothing where something should be", "something", "nothing"),
	kind(`(.*) should have (\d+) item\(s\), but has (\d+)$`, "there were more or fewer than there should be", "$2", "$3: $1"),
	kind(`(.*) should not contain (.*)$`, "there was something that should not be", "all but $2", "$1"),
	kind(`(.*) does not contain (.*)$`, "something was missing", "$2", "$1"),
	kind(`Expected value not to be nil\.$`, "a call returned nil where it should not", "a value", "nil"),
	kind(`Expected nil, but got: (.*)$`, "a call returned something where it should return nil", "nil", "$1"),
	kind(`Should be zero, but was (.*)$`, "there was something where nothing should be", "0", "$1"),
	kind(`Should not be zero, but was (.*)$`, "there was nothing where something should be", "not $1", "$1"),
	kind(`Should not be: (.*)$`, "the program gave what it should not", "anything but $1", "$1"),
	kind(`Not same:.*$`, "the program gave another value than the one that it should", "", ""),
	kind(`"(.*)" is not ((?:greater|less) than(?: or equal to)?) "(.*)"$`, "a number was out of its bounds", "$2 $3", "$1"),
	kind(`"(.*)" is not (positive|negative)$`, "a number was out of its bounds", "$2", "$1"),
	kind(`Max difference between (.*) and (.*) allowed is (.*), but difference was (.*)$`, "a number was too far from what it should be", "$1, give or take $3", "$2"),
	kind(`Relative error is too high: (.*) \(expected\)\s*< (.*) \(actual\)$`, "a number was too far from what it should be", "off by $1 at the most", "off by $2"),
	kind(`Condition never satisfied$`, "what the test waited for never came", "", ""),
	kind(`Condition satisfied$`, "what must never come came", "", ""),
	kind(`elements differ\n(.*)$`, "there were other elements than there should be", "", "$1"),
	kind(`Expect "(.*)" to match "(.*)"$`, "a text was not what it should be", "what fits $2", "$1"),
	kind(`Expect "(.*)" to NOT match "(.*)"$`, "a text was what it should not be", "what does not fit $2", "$1"),
	kind(`func .* should panic with value:\s*(.*?)\n\s*Panic value:\s*(.*?)(?:\n.*)?$`, "a call did not panic as it should", "a panic with $1", "$2"),
	kind(`func .* should panic\b.*$`, "a call did not panic where it should", "a panic", "none"),
	kind(`func .* should not panic\n\s*Panic value:\s*(.*?)\n.*$`, "a call panicked", "no panic", "$1"),
	kind(`unable to find file (.*)$`, "a file was missing", "$1", "no such file"),
	kind(`file (.*) exists$`, "a file was there that should not be", "no file $1", "a file"),
	kind(`Object expected to be of type (.*), but was (.*)$`, "the program gave another type than it should", "$1", "$2"),
	kind(`Types expected to match exactly\s*(.*) != (.*)$`, "the program gave another type than it should", "$1", "$2"),
}

// stock puts testify's words into a person's. The sentence is empty where they are not
// testify's.
func (c complaint) stock() (sentence string, values []string) {
	text := strings.TrimSpace(strings.Join(c.kind, "\n"))
	for _, s := range stocks {
		m := s.says.FindStringSubmatchIndex(text)
		if m == nil {
			continue
		}
		in := func(template string) string {
			return plainly(strings.TrimSpace(string(s.says.ExpandString(nil, template, text, m))))
		}
		expected, actual := apart(in(s.expected), in(s.actual))
		if s.expected != "" {
			values = append(values, strings.Split("expected: "+expected, "\n")...)
		}
		if s.actual != "" {
			values = append(values, strings.Split("actual:   "+actual, "\n")...)
		}
		return s.sentence, values
	}
	return "", nil
}
