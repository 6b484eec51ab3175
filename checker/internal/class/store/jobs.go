package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"prokata/checker/internal/judge/grade"
)

// patience is how often the grader's own trouble with a job is overlooked.
const patience = 3

// Want names the jobs of this grading. Those that were done before stay done; those that
// were given up are tried anew.
func (s *Store) Want(jobs []Job) error {
	return s.trouble("write", s.within(func(tx *sql.Tx) error {
		if _, err := tx.Exec("UPDATE jobs SET wanted = 0"); err != nil {
			return err
		}
		for i, j := range jobs {
			parts, err := json.Marshal(j.Parts)
			if err != nil {
				return err
			}
			files, err := json.Marshal(j.Files)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO jobs (address, number, parts, files, wanted, state) VALUES (?, ?, ?, ?, 1, 'waiting')
				ON CONFLICT (address) DO UPDATE SET wanted = 1, number = excluded.number`, j.Address(), i, string(parts), files); err != nil {
				return err
			}
		}
		_, err := tx.Exec("UPDATE jobs SET state = 'waiting', troubles = 0, trouble = '' WHERE wanted AND state = 'given-up'")
		return err
	}))
}

// Lease gives the next job to owner, until the lease ends: then others may have it. It is
// false when none waits. A job that was begun before and not ended comes behind the
// others: it may be what the grader died of.
func (s *Store) Lease(owner string, now time.Time, lease time.Duration) (j Job, ok bool, err error) {
	var parts string
	var files []byte
	err = s.db.QueryRow(`UPDATE jobs SET state = 'running', owner = ?, until = ?, begun = begun + 1 WHERE address = (
			SELECT address FROM jobs WHERE wanted AND (state = 'waiting' OR state = 'running' AND until < ?) ORDER BY begun, number LIMIT 1
		) RETURNING parts, files`, owner, now.Add(lease).Unix(), now.Unix()).Scan(&parts, &files)
	if errors.Is(err, sql.ErrNoRows) {
		return j, false, nil
	}
	if err == nil {
		err = errors.Join(json.Unmarshal([]byte(parts), &j.Parts), json.Unmarshal(files, &j.Files))
	}
	return j, err == nil, s.trouble("read", err)
}

// Finish records a verdict. Whoever had the lease of a job that others have done
// meanwhile comes too late, which is no error: of the same parts it is the same verdict.
func (s *Store) Finish(address, owner string, v grade.Kata) error {
	text, err := json.Marshal(v)
	if err == nil {
		_, err = s.db.Exec("UPDATE jobs SET state = 'done', verdict = ? WHERE address = ? AND state = 'running' AND owner = ?", text, address, owner)
	}
	return s.trouble("write", err)
}

// Fail records trouble of the grader's own. The job waits again, and is given up after so
// many times.
func (s *Store) Fail(address, owner, why string) error {
	_, err := s.db.Exec(`UPDATE jobs SET troubles = troubles + 1, trouble = ?, owner = '',
		state = CASE WHEN troubles + 1 < ? THEN 'waiting' ELSE 'given-up' END WHERE address = ? AND state = 'running' AND owner = ?`, why, patience, address, owner)
	return s.trouble("write", err)
}

// Release gives a job back that was not ended.
func (s *Store) Release(address, owner string) error {
	_, err := s.db.Exec("UPDATE jobs SET state = 'waiting', owner = '' WHERE address = ? AND state = 'running' AND owner = ?", address, owner)
	return s.trouble("write", err)
}

// Waiting counts the jobs of this grading that are not ended.
func (s *Store) Waiting() (n int, err error) {
	err = s.db.QueryRow("SELECT count(*) FROM jobs WHERE wanted AND state IN ('waiting', 'running')").Scan(&n)
	return n, s.trouble("read", err)
}

// Result is what became of a job.
func (s *Store) Result(address string) (r Result, err error) {
	var state string
	var text []byte
	err = s.db.QueryRow("SELECT state, trouble, verdict FROM jobs WHERE address = ?", address).Scan(&state, &r.Trouble, &text)
	if err == nil && state == "done" {
		r.Done, r.Trouble = true, ""
		err = json.Unmarshal(text, &r.Verdict)
	}
	return r, s.trouble("read", err)
}

// within does f in one transaction.
func (s *Store) within(f func(*sql.Tx) error) error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
