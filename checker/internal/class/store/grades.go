package store

import (
	"database/sql"
	"encoding/json"
	"errors"
)

// Record makes these the grades of the class, all or none of them, and returns those that
// are another than before, each with its cause. Those that are new are none.
func (s *Store) Record(grades []Grade) (changes []Change, err error) {
	err = s.within(func(tx *sql.Tx) error {
		var grading int
		if err := tx.QueryRow("SELECT coalesce(max(grading), 0) + 1 FROM changes").Scan(&grading); err != nil {
			return err
		}
		for _, g := range grades {
			var before Grade
			err := tx.QueryRow("SELECT job, outcome, points FROM grades WHERE student = ? AND kata = ?", g.Student, g.Kata).Scan(&before.Job, &before.Outcome, &before.Points)
			known := !errors.Is(err, sql.ErrNoRows)
			if known && err != nil {
				return err
			}
			if known && (before.Outcome != g.Outcome || before.Points != g.Points) {
				c := Change{Student: g.Student, Kata: g.Kata, Before: before.String(), After: g.String()}
				if c.Cause, err = cause(tx, before.Job, g); err != nil {
					return err
				}
				changes = append(changes, c)
				if _, err := tx.Exec("INSERT INTO changes (grading, student, kata, before, after, cause) VALUES (?, ?, ?, ?, ?, ?)", grading, c.Student, c.Kata, c.Before, c.After, c.Cause); err != nil {
					return err
				}
			}
			if _, err := tx.Exec("INSERT OR REPLACE INTO grades (student, kata, job, outcome, points, why) VALUES (?, ?, ?, ?, ?, ?)",
				g.Student, g.Kata, g.Job, g.Outcome, g.Points, g.Why); err != nil {
				return err
			}
		}
		return nil
	})
	return changes, s.trouble("write", err)
}

// cause says why a grade is another than the job before had given.
func cause(tx *sql.Tx, before string, g Grade) (string, error) {
	switch {
	case before == "" && g.Job == "":
		return "what was handed in changed: " + g.Why, nil
	case before == "":
		return "it was handed in, or can be graded now", nil
	case g.Job == "":
		return g.Why, nil
	}
	var p [2]Parts
	for i, address := range []string{before, g.Job} {
		var text string
		if err := tx.QueryRow("SELECT parts FROM jobs WHERE address = ?", address).Scan(&text); err != nil {
			return "", err
		}
		if err := json.Unmarshal([]byte(text), &p[i]); err != nil {
			return "", err
		}
	}
	if before == g.Job {
		return "the rubric changed, or what had kept it from being graded is over", nil
	}
	return p[0].Causes(p[1]), nil
}
