package detect

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"
)

// A value of Go as %#v writes it, or a part of one, and what a person calls it.
var spellings = []struct {
	is    *regexp.Regexp
	plain func(m []string) string
}{
	// *errors.errorString(&errors.errorString{s:"EOF"}): the type is said twice.
	{regexp.MustCompile(`^\*[\w.]+\((&[\w.]+\{.*\})\)$`), func(m []string) string { return m[1] }},
	{regexp.MustCompile(`&(?:errors\.errorString\{s|fmt\.wrapErrors?\{msg):("(?:[^"\\]|\\.)*")[^}]*\}`), func(m []string) string { return "an error that says " + m[1] }},
	{regexp.MustCompile(`&fs\.PathError\{Op:"([^"]*)", Path:"([^"]*)", Err:0x([0-9a-f]+)\}`), func(m []string) string {
		return fmt.Sprintf("an error that says %q", m[1]+" "+m[2]+": "+errno(m[3]))
	}},
	{regexp.MustCompile(`&os\.SyscallError\{Syscall:"([^"]*)", Err:0x([0-9a-f]+)\}`), func(m []string) string {
		return fmt.Sprintf("an error that says %q", m[1]+": "+errno(m[2]))
	}},
	{regexp.MustCompile(`\bsyscall\.Errno\(0x([0-9a-f]+)\)`), func(m []string) string { return fmt.Sprintf("an error that says %q", errno(m[1])) }},
	{regexp.MustCompile(`\(((?:<-)?chan(?:<-)? [^()]*)\)\(0x[0-9a-f]+\)`), func(m []string) string { return "a " + m[1] }},
	{regexp.MustCompile(`\((\*[^()]*)\)\(0x[0-9a-f]+\)`), func(m []string) string { return "a " + m[1] }},
	{regexp.MustCompile(`\((?:\*[^()]*|func[^{}]*|(?:<-)?chan[^()]*)\)\(nil\)`), func([]string) string { return "nil" }},
	{regexp.MustCompile(`^<nil>\(<nil>\)$|^<nil>$`), func([]string) string { return "nil" }},
	// A slice or a map of plain values: the type says nothing that they do not.
	{regexp.MustCompile(`^(?:\[\]|map\[\w+\])(?:string|int|int64|bool|float64)(?:\(nil\)|(\{.*\}))$`), func(m []string) string {
		if m[1] == "" || m[1] == "{}" {
			return "nothing"
		}
		return m[1]
	}},
	{regexp.MustCompile(`^[a-z]\w*\((-?[\d.]+(?:e[-+]\d+)?|true|false|"(?:[^"\\]|\\.)*")\)$`), func(m []string) string { return m[1] }},
	{regexp.MustCompile(`\b0xc[0-9a-f]{9}\b`), func([]string) string { return "…" }},
}

// plainly writes a value of Go as a person would.
func plainly(value string) string {
	for _, s := range spellings {
		value = s.is.ReplaceAllStringFunc(value, func(part string) string { return s.plain(s.is.FindStringSubmatch(part)) })
	}
	return value
}

// errno says what a number of the system's errors means.
func errno(hex string) string {
	n, err := strconv.ParseUint(hex, 16, 16)
	if err != nil {
		return "an unknown error"
	}
	return syscall.Errno(n).Error()
}

// Longer values are cut.
const widest = 160

// apart shortens two long values to what stands around their first difference.
func apart(a, b string) (string, string) {
	if len(a) <= widest && len(b) <= widest {
		return a, b
	}
	same := 0
	for same < len(a) && same < len(b) && a[same] == b[same] {
		same++
	}
	return around(a, same), around(b, same)
}

// around cuts a long value to what stands around the place at.
func around(s string, at int) string {
	if len(s) <= widest {
		return s
	}
	from := max(0, min(at-widest/3, len(s)-widest))
	to := min(len(s), from+widest)
	for from > 0 && !utf8.RuneStart(s[from]) {
		from--
	}
	for to < len(s) && !utf8.RuneStart(s[to]) {
		to--
	}
	cut := strings.ReplaceAll(s[from:to], "\n", `\n`)
	if from > 0 {
		cut = "…" + cut
	}
	if to < len(s) {
		cut += "…"
	}
	return fmt.Sprintf("%s (%d bytes in all)", cut, len(s))
}
