// Package roster reads who is in a class: a CSV file with name, id and email, or the
// gradebook as Canvas or Moodle exports it. It alone says who a student is; what a
// submission says of its owner is only looked up here. The teacher's own file can be
// filled in afterwards.
package roster

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Kind is the system that a file comes from.
type Kind string

// The kinds.
const (
	Plain  Kind = "plain"
	Canvas Kind = "canvas"
	Moodle Kind = "moodle"
)

// A Student is a row of the roster.
type Student struct {
	Key   string `json:"key"` // what tells this one from all others: the id, else the address
	Name  string `json:"name,omitempty"`
	ID    string `json:"id,omitempty"`
	Email string `json:"email,omitempty"`

	keys [4]string // id, address, login, SIS id, in small letters; "" if there is none
	row  int
}

// The columns of Student.keys.
const (
	byID = iota
	byEmail
	byLogin
	bySIS
)

// A Roster is a class.
type Roster struct {
	Kind     Kind
	Students []Student

	table        *Table // nil if it was made from the submissions
	participants bool   // the ids are Moodle's numbers of who handed in, not the school's
}

// columns are the titles of what is looked for, in small letters, by its meaning. Moodle
// writes them in the language of the site.
var columns = map[string][]string{
	"name":  {"name", "student", "full name", "student name", "vollständiger name", "nom complet", "nombre completo"},
	"first": {"first name", "vorname", "prénom", "nombre"},
	"last":  {"last name", "surname", "nachname", "nom de famille", "apellido(s)"},
	"id":    {"id", "id number", "student id", "sid", "identifier", "id-nummer", "matrikelnummer", "numéro d'identification", "número de id"},
	"email": {"email", "email address", "e-mail", "mail", "e-mail-adresse", "adresse de courriel", "dirección de correo"},
	"login": {"login", "username", "sis login id", "anmeldename"},
	"sis":   {"sis user id"},
}

// participant is how Moodle's grading worksheet numbers who has handed in:
// "Participant 3127", in the language of the site.
var participant = regexp.MustCompile(`^\p{L}[\p{L} /.-]* ?(\d+)$`)

// Read reads a roster. Doubles, and rows that nothing tells from others, are errors: a
// grade would go to the wrong student.
func Read(text []byte) (*Roster, error) {
	t, err := ReadTable(text)
	if err != nil {
		return nil, err
	}
	if len(t.Rows) == 0 {
		return nil, errors.New("it is empty")
	}
	r := &Roster{Kind: Plain, table: t}
	at := map[string]int{}
	for meaning, titles := range columns {
		at[meaning] = slices.IndexFunc(t.Rows[0], func(cell string) bool {
			return slices.Contains(titles, strings.ToLower(strings.TrimSpace(cell)))
		})
	}
	switch {
	case at["login"] >= 0 && strings.EqualFold(t.Cell(0, 0), "Student") && at["id"] == 1:
		r.Kind = Canvas
	case at["first"] >= 0 && at["last"] >= 0, len(t.Rows) > 1 && participant.MatchString(t.Cell(1, 0)):
		r.Kind = Moodle
		if at["id"] < 0 && at["first"] < 0 {
			at["id"] = 0
		}
	}
	if at["id"] < 0 && at["email"] < 0 {
		return nil, fmt.Errorf("its first line names no column \"id\" and none \"email\"; it names %s", quoted(t.Rows[0]))
	}
	r.participants = r.Kind == Moodle && len(t.Rows) > 1 && at["id"] >= 0 && participant.MatchString(t.Cell(1, at["id"]))
	seen := map[string]int{}
	for row := 1; row < len(t.Rows); row++ {
		s := t.student(row, at)
		if strings.EqualFold(s.Name, "Points Possible") || s.Key == "" && s.Name == "" {
			continue
		}
		if s.Key == "" {
			return nil, fmt.Errorf("line %d (%s) has no id and no email: nothing tells whose submission is whose", t.Line(row), s.Name)
		}
		for column, key := range s.keys {
			if key == "" {
				continue
			}
			name := fmt.Sprint(column, key)
			if before, ok := seen[name]; ok {
				return nil, fmt.Errorf("lines %d and %d both have %q: each student stands once in a roster", t.Line(before), t.Line(row), key)
			}
			seen[name] = row
		}
		r.Students = append(r.Students, s)
	}
	if len(r.Students) == 0 {
		return nil, errors.New("it names no student")
	}
	return r, nil
}

func (t *Table) student(row int, at map[string]int) Student {
	get := func(meaning string) string { return t.Cell(row, at[meaning]) }
	s := Student{Name: get("name"), ID: get("id"), Email: get("email"), row: row}
	if at["first"] >= 0 && at["last"] >= 0 {
		s.Name = strings.TrimSpace(get("first") + " " + get("last"))
	}
	if m := participant.FindStringSubmatch(s.ID); m != nil {
		s.ID = m[1]
	}
	for i, key := range []string{s.ID, s.Email, get("login"), get("sis")} {
		s.keys[i] = strings.ToLower(key)
	}
	s.Key = cmp.Or(s.keys[:]...)
	return s
}

func quoted(cells []string) string {
	var all []string
	for _, c := range cells {
		all = append(all, fmt.Sprintf("%.40q", c))
	}
	return strings.Join(all[:min(12, len(all))], ", ")
}
