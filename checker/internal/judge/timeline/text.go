package timeline

import (
	"fmt"
	"io"
	"strings"
)

// few is how many signals of the checker's own are told of one test.
const few = 2

// Text draws the tests for a terminal that is so many characters wide.
func (p Page) Text(w io.Writer, width int) {
	for i, t := range p.Tests {
		if i > 0 {
			fmt.Fprintln(w)
		}
		t.Text(w, width)
	}
	if len(p.Tests) > 0 {
		legend(w, p.Tests, width)
	}
}

// Text draws one test: a line for each process, a letter for what it was found doing, a
// dash where it lived and nobody looked, and at the end how it ended.
func (t Test) Text(w io.Writer, width int) {
	t.head(w, width)
	if t.Note != "" {
		fmt.Fprintln(w, "  "+cut(t.Note, width-2))
	}
	const exits = 10
	names := min(28, width/3)
	cells := max(10, width-names-exits-2)
	c := canvas{cells, max(t.Seconds, 1e-3)}
	if len(t.Lanes) > 0 {
		end := seconds(t.Seconds)
		fmt.Fprintf(w, "%-*s 0%*s\n", names, "", cells-1, end)
	}
	for _, l := range t.Lanes {
		name := fmt.Sprintf("%s%d %s", strings.Repeat(" ", min(l.Depth, 6)), l.PID, l.Name)
		if l.Test {
			name = fmt.Sprintf("%d the test", l.PID)
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-*s %s %s", names, cut(name, names), c.lane(l), cut(l.end(), exits)), " "))
	}
	for _, h := range t.Holds {
		row := c.row()
		c.fill(row, h.From, h.To, '=')
		name := fmt.Sprintf("%s by %d", short(h.Lock), h.PID)
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-*s %s", names, cut(name, names), string(row)), " "))
	}
	signals := 0
	for _, m := range t.Marks {
		if m.Kind == "signal" {
			signals++
		}
		if m.Kind != "returned" && (m.Kind != "signal" || signals <= few) {
			fmt.Fprintln(w, cut(fmt.Sprintf("%*s  %s", 9, seconds(m.At), m.Words), width))
		}
	}
	if signals > few {
		fmt.Fprintf(w, "%11sand %d signals more of the checker\n", "", signals-few)
	}
	for _, p := range t.Pins {
		fmt.Fprintln(w, cut(fmt.Sprintf("%*s  %s: %s", 9, seconds(p.At), p.Code, p.Message), width))
		if p.Place != "" {
			fmt.Fprintln(w, cut(fmt.Sprintf("%11s%s  %s", "", p.Place, p.Source), width))
		}
	}
	t.graph(w, width)
}

func (t Test) head(w io.Writer, width int) {
	fmt.Fprintln(w, cut(fmt.Sprintf("%s: %s, %s, %d processes", t.Name, t.Status, seconds(t.Seconds), len(t.Lanes)), width))
}

// graph tells who waits for whom, a line a process.
func (t Test) graph(w io.Writer, width int) {
	if t.Graph == nil {
		return
	}
	for i, n := range t.Graph.Nodes {
		line := fmt.Sprintf("%11s%d %s", "", n.PID, n.Name)
		if n.For != "" {
			line += " waits for " + n.For
		}
		for _, e := range t.Graph.Edges {
			if e.From == i {
				line += fmt.Sprintf(" -> %d", t.Graph.Nodes[e.To].PID)
			}
		}
		fmt.Fprintln(w, cut(line, width))
		if n.Place != "" {
			fmt.Fprintln(w, cut(fmt.Sprintf("%13s%s  %s", "", n.Place, n.Source), width))
		}
	}
}

// legend tells the letters that were used.
func legend(w io.Writer, tests []Test, width int) {
	used := map[int]bool{}
	locks := false
	for _, t := range tests {
		locks = locks || len(t.Holds) > 0
		for _, l := range t.Lanes {
			for _, d := range l.Doings {
				used[d.Kind] = true
			}
		}
	}
	entries := []string{"- lives, nobody looked"}
	for k, kind := range Kinds {
		if used[k] {
			entries = append(entries, kind.Letter+" "+kind.Name)
		}
	}
	entries = append(entries, "Z zombie")
	if locks {
		entries = append(entries, "= lock held")
	}
	fmt.Fprintln(w)
	line := ""
	for _, e := range entries {
		if line != "" && len(line)+3+len(e) > width {
			fmt.Fprintln(w, line)
			line = ""
		}
		if line != "" {
			line += "   "
		}
		line += e
	}
	fmt.Fprintln(w, line)
}

// A canvas turns times into columns.
type canvas struct {
	cells   int
	seconds Time
}

func (c canvas) row() []rune { return []rune(strings.Repeat(" ", c.cells)) }

func (c canvas) column(t Time) int {
	return max(0, min(c.cells-1, int(t/c.seconds*float64(c.cells))))
}

func (c canvas) fill(row []rune, from, to Time, letter rune) {
	for i := c.column(from); i <= c.column(to); i++ {
		row[i] = letter
	}
}

func (c canvas) lane(l Lane) string {
	row := c.row()
	end := c.seconds
	if l.Ended != nil {
		end = l.Ended[1]
	}
	if l.Zombie {
		c.fill(row, end, c.seconds, 'Z')
	}
	c.fill(row, l.Began[1], max(end, l.Began[1]), '-')
	for _, d := range l.Doings {
		c.fill(row, d.From, d.To, rune(Kinds[d.Kind].Letter[0]))
	}
	if l.Ended != nil && !l.Zombie {
		row[c.column(end)] = '|'
	}
	return string(row)
}

// end says in a word how a process ended.
func (l Lane) end() string {
	switch {
	case l.Ended == nil:
		return "alive"
	case strings.HasPrefix(l.Exit, "exit status "):
		return "exit " + strings.TrimPrefix(l.Exit, "exit status ")
	case l.Exit == "":
		return "ended"
	}
	return strings.TrimPrefix(l.Exit, "signal: ")
}

func seconds(s Time) string {
	if s < 1 {
		return fmt.Sprintf("%.0f ms", s*1000)
	}
	return fmt.Sprintf("%.2f s", s)
}

// cut shortens a text to so many characters.
func cut(s string, width int) string {
	r := []rune(s)
	if len(r) <= width {
		return s
	}
	return string(r[:width-1]) + "…"
}
