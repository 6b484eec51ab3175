package detect

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
)

// who names a process. What started itself again as /proc/self/exe is called "exe" until
// it has a name of its own, and one that ended early was never called anything.
func who(pid int, name string) string {
	if name = path.Base(name); name == "." || name == "/" || name == "exe" {
		return fmt.Sprintf("pid %d", pid)
	}
	return fmt.Sprintf("pid %d %q", pid, name)
}

// named is the name under which a process was seen before: a zombie has lost its own.
func named(t evidence.Test, pid int) string {
	for _, p := range t.Processes {
		if p.PID == pid {
			return p.Name
		}
	}
	return ""
}

// word is the word for so many.
func word(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return several
}

// and joins words: "7", "7 and 12", "7, 12 and 13".
func and(words []string) string {
	if n := len(words) - 1; n > 0 {
		return strings.Join(words[:n], ", ") + " and " + words[n]
	}
	return strings.Join(words, "")
}

// folded counts equal lines, in the order in which they came first.
type folded struct {
	lines []string
	count map[string]int
}

func (f *folded) add(line string) {
	if f.count == nil {
		f.count = map[string]int{}
	}
	if f.count[line]++; f.count[line] == 1 {
		f.lines = append(f.lines, line)
	}
}

// tell returns the lines, each with how often it came, and no more than the first few.
func (f *folded) tell(few int) []string {
	lines := slices.Clone(f.lines)
	for i, line := range lines {
		if n := f.count[line]; n > 1 {
			lines[i] += fmt.Sprintf(" (%d times)", n)
		}
	}
	if len(lines) > few {
		lines = append(lines[:few], fmt.Sprintf("and %d more", len(lines)-few))
	}
	return lines
}
