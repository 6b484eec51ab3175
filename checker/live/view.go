package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/judge/report"
)

const keys = "h hint · e explain · s solution · r run again · l list · n/p next, previous · x begin anew · q quit"

func (m model) View() tea.View {
	v := tea.NewView(m.screen())
	v.AltScreen = true
	v.WindowTitle = "prokata"
	return v
}

// screen is what stands on the screen: a title, the middle, the keys below it.
func (m model) screen() string {
	lines := []string{m.paint("1", ansi.Truncate(m.title(), m.width, "…")), ""}
	body := m.body()
	room := m.room()
	from := min(m.scroll, max(0, len(body)-room))
	shown := body[from:min(len(body), from+room)]
	lines = append(lines, shown...)
	for range room - len(shown) {
		lines = append(lines, "")
	}
	more := ""
	if below := len(body) - from - len(shown); below > 0 {
		more = fmt.Sprintf("%d more lines: ↓ or space", below)
	} else if from > 0 {
		more = "↑"
	}
	lines = append(lines, m.paint("2", ansi.Truncate(more, m.width, "…")))
	for _, l := range m.foot() {
		lines = append(lines, m.paint("2", l))
	}
	return strings.Join(lines[:min(len(lines), max(1, m.height))], "\n")
}

func (m model) foot() []string {
	if lines := wrap(keys, max(20, m.width)); len(lines) <= max(2, m.height/4) {
		return lines
	}
	return []string{"h e s r l n p x q"}
}

// room is how many lines the middle has.
func (m model) room() int { return max(1, m.height-3-len(m.foot())) }

// most is how far the middle can be scrolled.
func (m model) most() int { return max(0, len(m.body())-m.room()) }

// body is the middle of the screen, in lines that fit.
func (m model) body() []string {
	s := ""
	switch m.pane {
	case text:
		s = m.paint("1", m.shown.title) + "\n\n" + m.shown.text
	case list:
		s = m.list()
	case ask:
		s = fmt.Sprintf("Begin %s anew?\n\nThe stub comes back as it was. What you wrote is kept beside it, under a name that is\nprinted.\n\ny yes · any other key no", m.kata().Name)
	default:
		s = m.result()
	}
	return wrap(strings.TrimRight(s, "\n"), max(20, m.width))
}

// wrap breaks what is too wide, and indents what follows like the line that it was.
func wrap(s string, width int) (lines []string) {
	for line := range strings.SplitSeq(s, "\n") {
		bare := strings.TrimLeft(line, " ")
		in := min(len(line)-len(bare), width/2)
		for i, part := range strings.Split(ansi.Wrap(bare, width-in, ""), "\n") {
			if i > 0 {
				part = strings.TrimLeft(part, " ")
			}
			lines = append(lines, strings.Repeat(" ", in)+part)
		}
	}
	return lines
}

// result is the last verdict on the kata. While a new one is on its way, it is grey.
func (m model) result() string {
	k := m.kata()
	last, ok := m.last[k.Name]
	switch {
	case !ok:
		return "The first answer is on its way.\n\nThe file to edit: " + filepath.Join("katas", k.Folder, k.Files[0])
	case last.err != nil:
		return report.Printable("the check could not be made: "+last.err.Error()) + "\n\nr tries again"
	}
	var b bytes.Buffer
	t := report.Text{W: &b, Colour: m.colour}
	if _, below := last.kata.Stands(); below {
		t.Climb(last.kata, last.before, false)
	} else {
		t.Kata(last.kata)
		if last.kata.Verdict == grade.Pass && m.at+1 < len(m.katas) {
			fmt.Fprintf(&b, "\nn goes on to %s\n", m.katas[m.at+1].Name)
		}
	}
	s := strings.TrimSpace(b.String())
	if m.running { // what stands here is of the save before
		s = m.paint("2", "of the save before this one:\n"+ansi.Strip(s))
	}
	return s
}

func (m model) list() string {
	var b strings.Builder
	standing := m.do.standing()
	for i, k := range m.katas {
		mark := "  "
		if i == m.cursor {
			mark = "> "
		}
		where := "not checked yet"
		switch at, n := standing[k.Name], len(k.Steps); {
		case n > 0 && at > n:
			where = "✓ all steps"
		case at > 0:
			where = fmt.Sprintf("step %d of %d", at, n)
		default:
			if v, ok := m.last[k.Name]; ok {
				where = strings.ReplaceAll(string(v.kata.Verdict), "-", " ")
			}
		}
		line := fmt.Sprintf("%s%2d %-14s %s", mark, k.Number, k.Name, where)
		if i == m.cursor {
			line = m.paint("1", line)
		}
		b.WriteString(line + "\n")
	}
	b.WriteString("\n↑ ↓ choose · enter goes there · esc back")
	return b.String()
}

// paint colours each line by itself, so that a line that is cut out of the text is whole.
func (m model) paint(colour, s string) string {
	if !m.colour || s == "" {
		return s
	}
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if l != "" {
			lines[i] = "\x1b[" + colour + "m" + l + "\x1b[0m"
		}
	}
	return strings.Join(lines, "\n")
}
