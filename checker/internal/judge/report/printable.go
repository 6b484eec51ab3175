package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// widest bounds a line of text that is not the checker's own, in bytes.
const widest = 600

// private is the beginning of a path in a run's own folder, which is gone by now, and
// nobody has seen: "/tmp/prokata-219942485/tmp/".
var private = regexp.MustCompile(`[^\s"'=:]*/prokata-\d+/(?:tmp|work)\b`)

// Printable makes a text safe for a line of a terminal. What a submission can write (a
// file's or a process's name, an error, what the compiler quotes of it) must draw nothing
// there: no colours, no other screen, no line that looks like the checker's, no text from
// right to left. Each character that is not printable, a newline included, is shown as %q
// shows it; a tab becomes a space, and what has no end is cut.
func Printable(s string) string { return printable(private.ReplaceAllString(s, "$$TMPDIR")) }

// Lines is Printable for a text of several lines.
func Lines(s string) []string {
	lines := strings.Split(strings.TrimRight(s, "\r\n"), "\n")
	for i, line := range lines {
		lines[i] = Printable(strings.TrimRight(line, " \t\r"))
	}
	return lines
}

func printable(line string) string {
	var b strings.Builder
	for i := 0; i < len(line); {
		r, n := utf8.DecodeRuneInString(line[i:])
		switch {
		case b.Len() > widest:
			fmt.Fprintf(&b, "… (%d bytes in all)", len(line))
			return b.String()
		case r == '\t', r == '\u00a0': // go-cmp indents with the latter
			b.WriteByte(' ')
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, line[i])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += n
	}
	return b.String()
}
