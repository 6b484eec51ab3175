package store

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	_ "github.com/ncruces/go-sqlite3/driver" // "sqlite3"
)

// version is that of the tables, kept in the file.
const version = 1

const tables = `
CREATE TABLE jobs (
	address  TEXT PRIMARY KEY,
	number   INTEGER NOT NULL,           -- in the order of the class
	parts    TEXT NOT NULL,
	files    BLOB NOT NULL,
	wanted   INTEGER NOT NULL,           -- by the grading that goes on
	state    TEXT NOT NULL,              -- waiting, running, done, given-up
	owner    TEXT NOT NULL DEFAULT '',   -- who runs it
	until    INTEGER NOT NULL DEFAULT 0, -- the lease's end, Unix seconds
	begun    INTEGER NOT NULL DEFAULT 0, -- how often
	troubles INTEGER NOT NULL DEFAULT 0, -- of the grader's own
	trouble  TEXT NOT NULL DEFAULT '',
	verdict  BLOB
);
CREATE TABLE grades (
	student TEXT NOT NULL, kata TEXT NOT NULL, job TEXT NOT NULL, outcome TEXT NOT NULL, points REAL NOT NULL, why TEXT NOT NULL,
	PRIMARY KEY (student, kata)
);
CREATE TABLE changes (
	number INTEGER PRIMARY KEY, grading INTEGER NOT NULL, student TEXT NOT NULL, kata TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, cause TEXT NOT NULL
);`

// A Store is an open file of a class. One grader has it at a time.
type Store struct {
	db   *sql.DB
	lock *os.File
	path string
}

// Open opens the class's file, and makes it where there is none. The jobs that a grader
// had begun which is gone are free again.
func Open(path string) (*Store, error) {
	// The lock is the process's: whoever kills the grader releases it.
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the class's file: %w", err)
	}
	s := &Store{lock: lock, path: path}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("another grader is at work in %s: wait for it, or end it", filepath.Dir(path))
	}
	if err := s.open(); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) open() (err error) {
	name := "file:" + (&urlPath{s.path}).String() + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_txlock=immediate"
	if s.db, err = sql.Open("sqlite3", name); err != nil {
		return s.trouble("open", err)
	}
	s.db.SetMaxOpenConns(1) // one writer
	var sound string
	if err := s.db.QueryRow("PRAGMA quick_check(1)").Scan(&sound); err != nil || sound != "ok" {
		if err == nil {
			err = errors.New(sound)
		}
		return s.trouble("read", err)
	}
	var have int
	if err := s.db.QueryRow("PRAGMA user_version").Scan(&have); err != nil {
		return s.trouble("read", err)
	}
	switch have {
	case 0:
		if _, err := s.db.Exec("BEGIN;" + tables + fmt.Sprintf("PRAGMA user_version = %d; COMMIT", version)); err != nil {
			return s.trouble("make", err)
		}
	case version:
	default:
		return fmt.Errorf("%s was written by another version of the grader (tables %d, not %d): grade into another folder", s.path, have, version)
	}
	_, err = s.db.Exec("UPDATE jobs SET state = 'waiting', owner = '' WHERE state = 'running'")
	return s.trouble("write", err)
}

// trouble says what to do about an error of the database.
func (s *Store) trouble(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s the class's file %s: %w (nothing that was handed in is touched. Is the disk full, or may this user not write there? Put that right and run the same again. If the file itself is damaged, move it away: all is then judged anew)", what, s.path, err)
}

// Close closes the file.
func (s *Store) Close() error {
	var err error
	if s.db != nil {
		err = s.db.Close()
	}
	return errors.Join(err, s.lock.Close())
}

// urlPath is a path as a part of a URI.
type urlPath struct{ path string }

func (u *urlPath) String() string {
	var b []byte
	for _, c := range []byte(u.path) {
		if c == '%' || c == '?' || c == '#' {
			b = fmt.Appendf(b, "%%%02x", c)
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}
