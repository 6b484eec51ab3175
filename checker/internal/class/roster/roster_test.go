package roster

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/class/intake"
)

const canvasFile = bom + "Student,ID,SIS User ID,SIS Login ID,Section,spawn (4711),Essay (12),Final Grade\r\n" +
	"    Points Possible,,,,,29,10,(read only)\r\n" +
	"\"Lovelace, Ada\",1042,1815,ada,\"Group \"\"A\"\"\",,9.5,\r\n" +
	"\"Hopper, Grace\",1815,1906,grace,B,3,,\r\n" +
	"\"Lovelace, Ada\",1044,77,ada2,B,,,\r\n"

const worksheet = "Identifier,Full name,Email address,Status,Grade,Maximum Grade,\"Last modified (grade)\"\n" +
	"Participant 3127,Ada Lovelace,ada@example.edu,Submitted,,100.00,-\n" +
	"Participant 3128,Grace Hopper,grace@example.edu,,,100.00,-\n"

// Only the cells that are filled in change: not the marks, quotes, line ends around them.
func TestFillTouchesNoOtherCell(t *testing.T) {
	r, err := Read([]byte(canvasFile))
	require.NoError(t, err)
	assert.Equal(t, Canvas, r.Kind)
	assert.Equal(t, canvasFile, string(r.Bytes()), "nothing was filled in")
	columns, err := r.Columns([]string{"spawn", "pool"}, "")
	require.NoError(t, err)
	require.Equal(t, []Column{{Title: "spawn (4711)", Kata: "spawn", Max: 29, at: 5}}, columns)
	require.NoError(t, r.Fill(columns[0], r.Students[0], 10, 58))
	require.NoError(t, r.Fill(columns[0], r.Students[1], 1, 3))
	want := strings.NewReplacer(`"Group ""A""",,9.5,`, `"Group ""A""",5,9.5,`, "grace,B,3,,", "grace,B,9.67,,").Replace(canvasFile)
	assert.Equal(t, want, string(r.Bytes()))
}

func TestFillWorksheetWithCommas(t *testing.T) {
	text := strings.NewReplacer("Maximum Grade,", "Maximum Grade;", "Grade,", "Bewertung;", ",", ";", "Participant", "Teilnehmer/in ", "Identifier", "ID", "Full name", "Vollständiger Name", "Email address", "E-Mail-Adresse", "100.00", "100,00").Replace(worksheet)
	r, err := Read([]byte(text))
	require.NoError(t, err)
	assert.Equal(t, Moodle, r.Kind)
	columns, err := r.Columns(nil, "")
	require.NoError(t, err)
	require.NoError(t, r.Fill(columns[0], r.Students[0], 1, 8))
	assert.Contains(t, string(r.Bytes()), "Submitted;12,5;100,00")
}

// A grade must never go to another student: what is not certain finds nobody.
func TestFind(t *testing.T) {
	canvas, err := Read([]byte(canvasFile))
	require.NoError(t, err)
	moodle, err := Read([]byte(worksheet))
	require.NoError(t, err)
	exported, err := Read([]byte("First name,Last name,ID number,Email address\nAda,Lovelace,3128,ada@example.edu\nGrace,Hopper,5,grace@example.edu\n"))
	require.NoError(t, err)
	for _, row := range []struct {
		why   string
		r     *Roster
		w     intake.Who
		finds string // its key
	}{
		{"the id of Canvas is no SIS id", canvas, intake.Who{Kind: "canvas", ID: "1815"}, "1815"},
		{"an id that is not there", canvas, intake.Who{Kind: "canvas", ID: "1906"}, ""},
		{"two have this name", canvas, intake.Who{Kind: "folder", ID: "Lovelace, Ada"}, ""},
		{"a folder by login", canvas, intake.Who{Kind: "folder", ID: "Ada2"}, "1044"},
		{"a folder by name, turned round", canvas, intake.Who{Kind: "folder", ID: "grace hopper"}, "1815"},
		{"a folder of name and login", canvas, intake.Who{Kind: "folder", ID: "Ada Lovelace_ada2"}, "1044"},
		{"a folder of two logins is of neither", canvas, intake.Who{Kind: "folder", ID: "ada_ada2"}, ""},
		{"a participant's number", moodle, intake.Who{Kind: "moodle", ID: "3128", Name: "Ada Lovelace"}, "3128"},
		{"a participant who is not there, of a name that is", moodle, intake.Who{Kind: "moodle", ID: "9", Name: "Ada Lovelace"}, ""},
		{"a participant's number is no id number", exported, intake.Who{Kind: "moodle", ID: "3128", Name: "Grace Hopper"}, "5"},
		{"by address", exported, intake.Who{Kind: "gradescope", ID: "x", Email: "Ada@example.edu"}, "3128"},
	} {
		s, ok := row.r.Find(row.w)
		assert.Equal(t, row.finds, s.Key, row.why)
		assert.Equal(t, row.finds != "", ok, row.why)
	}
}

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "it is empty",
		"name,mark\nAda,1\n":                  `no column "id"`,
		"name,id\n":                           "names no student",
		"name,id\nAda,1\nGrace,1\n":           `lines 2 and 3 both have "1"`,
		"name,id\nAda,1\n\"x\ny\",2\nBob,1\n": `lines 2 and 5 both have "1"`,
		"name,id\nAda,\n":                     "line 2 (Ada) has no id",
		"name,id\n\"Ada,1\n":                  "no sound CSV",
		"\xff\xfen\x00":                       "UTF-8",
	} {
		_, err := Read([]byte(text))
		assert.ErrorContains(t, err, want, "%q", text)
	}
}

// Whatever a file looks like, filling in nothing gives it back, and filling in one cell
// and taking it out again, too.
func FuzzTable(f *testing.F) {
	for _, s := range []string{canvasFile, worksheet, "a;b\r\n\"x\r\ny\";\"\"\"\"\n\n1;2", "\n\na,b\n,,\n", "a\tb\tc\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		table, err := ReadTable([]byte(text))
		if err != nil {
			return
		}
		if got := string(table.Bytes()); got != text {
			t.Fatalf("%q became %q", text, got)
		}
		for row, cells := range table.Rows {
			if row == 0 {
				continue // its titles tell the separator, and are never filled in
			}
			for column := range cells {
				one, _ := ReadTable([]byte(text))
				_ = one.Fill(row, column, "Q")
				again, err := ReadTable(one.Bytes())
				if err != nil {
					t.Fatalf("%q: cell %d,%d: %v", text, row, column, err)
				}
				for r := range table.Rows {
					for c := range table.Rows[r] {
						want := table.Rows[r][c]
						if r == row && c == column {
							want = "Q"
						}
						if again.Rows[r][c] != want {
							t.Fatalf("%q: filling %d,%d changed %d,%d to %q", text, row, column, r, c, again.Rows[r][c])
						}
					}
				}
			}
		}
	})
}
