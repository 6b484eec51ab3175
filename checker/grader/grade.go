package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"prokata/checker/internal/check"
	"prokata/checker/internal/class/book"
	"prokata/checker/internal/class/grading"
	"prokata/checker/internal/class/intake"
	"prokata/checker/internal/class/roster"
	"prokata/checker/internal/class/rubric"
	"prokata/checker/internal/class/store"
	"prokata/checker/internal/source/kata"
)

// asked is what the command line asks for.
type asked struct {
	class, out, roster, rubric, column, checker string

	katas  []string
	repeat int
	seed   uint64
	jobs   int
	trust  bool

	judges judges
}

// judges finds who judges a job, and says in a word what keeps submissions from the
// machine meanwhile.
type judges func(a asked, root string, katas []kata.Kata) (judge grading.Judge, walls string, err error)

// here judges on this machine, in a sandbox.
func here(a asked, root string, katas []kata.Kata) (grading.Judge, string, error) {
	sandbox, err := check.NewSandbox([]string{a.program(), "boxed"}, a.trust)
	if err != nil {
		return nil, "", usage{err}
	}
	walls := fmt.Sprint(sandbox.Found.Tier)
	return grading.Here(root, katas, []string{a.program(), "supervise"}, sandbox, check.NewLane(a.atOnce() > 1)), walls, nil
}

// atOnce is how many are judged side by side.
func (a asked) atOnce() int {
	if a.jobs > 0 {
		return a.jobs
	}
	return runtime.NumCPU() + 1 // a run waits about as long as it computes
}

func newGrade() *cobra.Command {
	a := asked{judges: here}
	c := &cobra.Command{
		Use:   "grade CLASS",
		Short: "Grade the submissions in a folder",
		Long: `Grade finds the submissions in the folder CLASS: one folder, .zip or .tar.gz a student, or
what Canvas, Moodle or Gradescope export. It checks each as "checker check --untrusted"
does, and writes gradebook.csv, class.json, report.html, a page for each student and the
teacher's own file, filled in, into the folder OUT.

What was judged once is never judged again, whatever happens to the grader: run the same
command to go on, or after something has changed. It then says which grades are others
than before, and why.`,
		Example: "  grader grade submissions --roster canvas.csv --out graded\n  grader grade submissions --roster canvas.csv --out graded --kata spawn,pool --repeat 5",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.class = args[0]
			return a.grade(cmd.Context())
		},
	}
	f := c.Flags()
	f.StringVar(&a.out, "out", "graded", "write into this `folder`")
	f.StringVar(&a.roster, "roster", "", "the class, as a CSV `file`: Canvas's or Moodle's gradebook as exported, or name,id,email")
	f.StringVar(&a.rubric, "rubric", "", "points of your own, a JSON `file`")
	f.StringVar(&a.column, "column", "", "fill the sum into the column of this `title` (else: into columns titled after katas)")
	f.StringSliceVar(&a.katas, "kata", nil, "grade these `katas` (else: those that somebody handed in)")
	f.IntVar(&a.repeat, "repeat", 1, "run each this many `times`")
	f.Uint64Var(&a.seed, "seed", 1, "`number` that chooses all that is random")
	f.IntVar(&a.jobs, "jobs", 0, "judge this many side by side (0: one more than there are cores)")
	f.BoolVar(&a.trust, "trust", false, "grade also where there is no sandbox that is strong enough (see checker doctor)")
	f.StringVar(&a.checker, "checker", "", "the checker's `program` (else: beside this one)")
	return c
}

func (a asked) grade(ctx context.Context) error {
	start := time.Now()
	root, katas, err := a.load()
	if err != nil {
		return usage{err}
	}
	submissions, err := intake.Read(a.class, katas)
	if err != nil {
		return usage{err}
	}
	if len(a.katas) == 0 {
		if katas = handedIn(katas, submissions); len(katas) == 0 {
			return usage{fmt.Errorf("none of the %d submissions in %s holds a Go file that belongs to a kata; of the first, %s: %s. Is it the right folder?",
				len(submissions), a.class, submissions[0].Label, submissions[0].Broken)}
		}
	}
	people, err := a.people(submissions)
	if err != nil {
		return usage{err}
	}
	points, err := a.points(katas)
	if err != nil {
		return usage{err}
	}
	class := book.New(katas, people, submissions)
	class.Title, class.Seed, class.Repeat = filepath.Base(absolute(a.class)), a.seed, a.repeat
	class.Go, class.System = runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH
	parts, tests, err := a.parts(root, katas)
	if err != nil {
		return err
	}
	judge, walls, err := a.judges(a, root, katas)
	if err != nil {
		return err
	}
	class.Walls, parts.Walls = walls, walls
	jobs := class.Jobs(parts, tests)
	if err := os.MkdirAll(a.out, 0o700); err != nil {
		return usage{fmt.Errorf("make the folder for what comes out: %w", err)}
	}
	s, err := store.Open(filepath.Join(a.out, "class.db"))
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Want(jobs); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "grader: the sandbox of each submission: %s\n", class.Walls)
	if err := a.judge(ctx, s, judge); err != nil {
		return err
	}
	if err := class.Grade(points, s.Result); err != nil {
		return err
	}
	if class.Changes, err = s.Record(class.Grades()); err != nil {
		return err
	}
	if err := a.write(class, people, start); err != nil {
		return err
	}
	return summary(os.Stdout, class, a.out)
}

// load finds the repository and the katas that are asked for.
func (a asked) load() (string, []kata.Kata, error) {
	root, err := kata.Root(".")
	if err != nil {
		return "", nil, err
	}
	all, err := kata.All(root)
	if err != nil {
		return "", nil, err
	}
	if a.repeat < 1 {
		return "", nil, fmt.Errorf("--repeat must be at least 1, not %d", a.repeat)
	}
	katas, err := kata.Select(all, a.katas)
	return root, katas, err
}

// handedIn are the katas that somebody handed in.
func handedIn(katas []kata.Kata, submissions []intake.Submission) []kata.Kata {
	return slices.DeleteFunc(slices.Clone(katas), func(k kata.Kata) bool {
		return !slices.ContainsFunc(submissions, func(s intake.Submission) bool {
			return slices.ContainsFunc(s.Sources, func(src intake.Source) bool { return src.Kata.Name == k.Name })
		})
	})
}

func (a asked) people(submissions []intake.Submission) (*roster.Roster, error) {
	if a.roster == "" {
		return roster.Of(submissions), nil
	}
	text, err := os.ReadFile(a.roster)
	if err != nil {
		return nil, fmt.Errorf("read the roster: %w", err)
	}
	r, err := roster.Read(text)
	if err != nil {
		return nil, fmt.Errorf("the roster %s: %w", a.roster, err)
	}
	return r, nil
}

func (a asked) points(katas []kata.Kata) (r rubric.Rubric, _ error) {
	if a.rubric == "" {
		return r, nil
	}
	text, err := os.ReadFile(a.rubric)
	if err != nil {
		return r, fmt.Errorf("read the rubric: %w", err)
	}
	if r, err = rubric.Read(text, katas); err != nil {
		return r, fmt.Errorf("the rubric %s: %w", a.rubric, err)
	}
	return r, nil
}

// parts gathers what verdicts hang on beside the submissions.
func (a asked) parts(root string, katas []kata.Kata) (p store.Parts, tests map[string]string, err error) {
	self, err := os.Executable()
	if err != nil {
		return p, nil, err
	}
	programs, err := digest(self, a.program())
	if err != nil {
		return p, nil, usage{fmt.Errorf("the checker's program is missing (make grader): %w", err)}
	}
	tests = map[string]string{}
	for _, k := range katas {
		var files []string
		for _, pattern := range []string{"kata.json", "*.go"} {
			some, err := filepath.Glob(filepath.Join(k.Dir, pattern))
			if err != nil {
				return p, nil, err
			}
			files = append(files, some...)
		}
		if tests[k.Folder], err = digest(files...); err != nil {
			return p, nil, err
		}
	}
	return store.Parts{Checker: programs, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Seed: a.seed, Repeat: a.repeat}, tests, nil
}

// program is the checker's: it supervises each run.
func (a asked) program() string {
	if a.checker != "" {
		return absolute(a.checker)
	}
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return filepath.Join(filepath.Dir(self), "checker")
}

// judge does what is not done yet.
func (a asked) judge(ctx context.Context, s *store.Store, judge grading.Judge) error {
	waiting, err := s.Waiting()
	if err != nil || waiting == 0 {
		return err
	}
	p := newProgress(os.Stderr, waiting, a.atOnce())
	err = grading.Run(ctx, s, judge, a.atOnce(), p.hooks())
	p.clear()
	if errors.Is(err, context.Canceled) {
		left, _ := s.Waiting()
		fmt.Fprintf(os.Stderr, "grader: stopped, %d of %d are judged. Nothing is lost: run the same command again to go on.\n", waiting-left, waiting)
	}
	return err
}

// write writes all that comes out, each file whole or not at all.
func (a asked) write(c *book.Class, people *roster.Roster, start time.Time) error {
	var table, document bytes.Buffer
	if err := errors.Join(c.CSV(&table), c.JSON(&document)); err != nil {
		return err
	}
	files := map[string][]byte{"gradebook.csv": table.Bytes(), "class.json": document.Bytes()}
	if a.roster != "" {
		told, err := c.Fill(people, a.column)
		if err != nil {
			return usage{fmt.Errorf("fill in %s: %w", a.roster, err)}
		}
		if len(told) > 0 {
			files["filled-"+filepath.Base(a.roster)] = people.Bytes()
			fmt.Printf("filled in, in a copy of %s: %s\n", filepath.Base(a.roster), strings.Join(told, "; "))
		} else if people.Kind != roster.Plain {
			fmt.Printf("no column of %s is titled after a kata: name the one to fill in with --column (COLUMN)\n", filepath.Base(a.roster))
		}
	}
	more, err := exports(c, start)
	if err != nil {
		return err
	}
	for name, text := range more {
		files[name] = text
	}
	for name, text := range files {
		if err := replace(filepath.Join(a.out, name), text); err != nil {
			return fmt.Errorf("write what came out: %w (the verdicts are kept: make room or get the right to write there, and run the same again)", err)
		}
	}
	return nil
}

// replace writes a file so that it is there whole, or as it was before.
func replace(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	// What is the same stays, with its time.
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
