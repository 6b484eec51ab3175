package roster

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A Table is a CSV file as it was read, byte for byte, with the places of its cells: one
// can be filled in and no other is touched, whatever quotes, line ends, separator and
// byte-order mark the file has.
type Table struct {
	Comma rune
	Rows  [][]string // what the cells hold

	text  []byte
	lines []int      // line i+1 begins at this byte
	at    [][][2]int // where each cell begins and ends
	fill  map[[2]int]string
}

const bom = "\xef\xbb\xbf"

// ReadTable reads a CSV file. The separator is what its first line holds most of.
func ReadTable(text []byte) (*Table, error) {
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) || bytes.IndexByte(text, 0) >= 0 {
		return nil, errors.New("it is not text in UTF-8: save it again as \"CSV UTF-8\"")
	}
	t := &Table{Comma: ',', text: text, lines: []int{0}, fill: map[[2]int]string{}}
	for i, b := range text {
		if b == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	skip := 0
	if bytes.HasPrefix(text, []byte(bom)) {
		skip = len(bom)
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	for _, c := range ";\t" {
		if bytes.Count(first, []byte(string(c))) > bytes.Count(first, []byte(string(t.Comma))) {
			t.Comma = c
		}
	}
	r := csv.NewReader(bytes.NewReader(text[skip:]))
	r.Comma, r.FieldsPerRecord = t.Comma, -1
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, fmt.Errorf("it is no sound CSV: %w", err)
		}
		end := int(r.InputOffset()) + skip
		end -= len(text[:end]) - len(bytes.TrimSuffix(bytes.TrimSuffix(text[:end], []byte("\n")), []byte("\r")))
		cells := make([][2]int, len(row))
		for i := range row {
			line, column := r.FieldPos(i)
			cells[i][0] = t.lines[line-1] + column - 1
			if line == 1 {
				cells[i][0] += skip
			}
			if i > 0 {
				cells[i-1][1] = cells[i][0] - 1
			}
		}
		cells[len(row)-1][1] = end
		t.Rows, t.at = append(t.Rows, row), append(t.at, cells)
	}
}

// Line is the line of the file at which a row begins, from 1.
func (t *Table) Line(row int) int {
	return 1 + bytes.Count(t.text[:t.at[row][0][0]], []byte("\n"))
}

// Cell is what a cell holds, without the space around it; "" if the row ends before it.
func (t *Table) Cell(row, column int) string {
	if column < 0 || column >= len(t.Rows[row]) {
		return ""
	}
	return strings.TrimSpace(t.Rows[row][column])
}

// Fill puts value into a cell. It is an error if the row ends before it.
func (t *Table) Fill(row, column int, value string) error {
	if column >= len(t.Rows[row]) {
		return fmt.Errorf("line %d has %d cells, and the grade belongs into number %d: export the file again", t.Line(row), len(t.Rows[row]), column+1)
	}
	t.fill[[2]int{row, column}] = value
	return nil
}

// Bytes is the file with the cells that were filled in.
func (t *Table) Bytes() []byte {
	var b bytes.Buffer
	last := 0
	for row, cells := range t.at {
		for column, at := range cells {
			value, ok := t.fill[[2]int{row, column}]
			if !ok {
				continue
			}
			b.Write(t.text[last:at[0]])
			if strings.ContainsAny(value, "\"\r\n") || strings.ContainsRune(value, t.Comma) {
				value = `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
			}
			b.WriteString(value)
			last = at[1]
		}
	}
	b.Write(t.text[last:])
	return b.Bytes()
}
