package roster

import (
	"slices"
	"strings"

	"prokata/checker/internal/class/intake"
)

// Of makes a roster of what the submissions say of themselves, for a class of which none
// was given.
func Of(submissions []intake.Submission) *Roster {
	r := &Roster{Kind: Plain}
	for _, s := range submissions {
		for _, w := range s.Who {
			student := Student{Key: strings.ToLower(w.ID), Name: w.Name, ID: w.ID, Email: w.Email}
			if student.Key == "" {
				student.Key = strings.ToLower(w.Email)
			}
			student.keys = [4]string{byID: student.Key}
			if student.Key != "" && !slices.ContainsFunc(r.Students, func(o Student) bool { return o.Key == student.Key }) {
				r.Students = append(r.Students, student)
			}
		}
	}
	slices.SortFunc(r.Students, func(a, b Student) int { return strings.Compare(a.Key, b.Key) })
	return r
}

// Find looks up whose a submission is. It is certain or nothing: by an id, an address, a
// login; by a name only if one student alone has it.
func (r *Roster) Find(w intake.Who) (Student, bool) {
	// The same number may be one student's id in one system and another's elsewhere.
	columns := map[string][]int{"canvas": {byID}, "moodle": {}, "gradescope": {byID, bySIS}, "folder": {byID, byEmail, byLogin, bySIS}}[w.Kind]
	if w.Kind == "moodle" && (r.participants || r.table == nil) {
		columns = []int{byID}
	}
	for _, column := range columns {
		if s, ok := r.key(column, w.ID); ok {
			return s, true
		}
	}
	for _, column := range []int{byEmail, byLogin} {
		if s, ok := r.key(column, w.Email); ok {
			return s, true
		}
	}
	if w.Kind == "canvas" || r.participants && w.Kind == "moodle" {
		return Student{}, false // its number is not in the roster: whoever has the name is another
	}
	name := w.Name
	if w.Kind == "folder" {
		name = w.ID
	}
	if s, ok := r.by(func(s Student) bool { return s.Name != "" && same(name, s.Name) }); ok || w.Kind != "folder" {
		return s, ok
	}
	// "Ada Lovelace_1815", "ada (spawn)"; never at a space: a first name may be somebody's login.
	parts := strings.FieldsFunc(strings.ToLower(w.ID), func(c rune) bool { return strings.ContainsRune("_()", c) })
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return r.by(func(s Student) bool {
		return slices.ContainsFunc(s.keys[:], func(key string) bool { return key != "" && slices.Contains(parts, key) })
	})
}

func (r *Roster) key(column int, key string) (Student, bool) {
	return r.by(func(s Student) bool { return key != "" && s.keys[column] == strings.ToLower(key) })
}

// by returns the one student of whom it is true.
func (r *Roster) by(is func(Student) bool) (Student, bool) {
	i := slices.IndexFunc(r.Students, is)
	if i < 0 || slices.ContainsFunc(r.Students[i+1:], is) {
		return Student{}, false
	}
	return r.Students[i], true
}

// same compares names as people write them: "Lovelace, Ada" is Ada Lovelace.
func same(a, b string) bool { return tidy(a) == tidy(b) }

func tidy(name string) string {
	if last, first, ok := strings.Cut(name, ","); ok {
		name = first + " " + last
	}
	return strings.ToLower(strings.Join(strings.FieldsFunc(name, func(c rune) bool { return c == ' ' || c == '_' || c == '\u00a0' }), " "))
}
