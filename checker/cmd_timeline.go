package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"prokata/checker/internal/check"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/timeline"
	"prokata/checker/internal/prove/flaw"
	"prokata/checker/internal/source/patch"
	"prokata/checker/internal/tree/record"
)

// wide is what a terminal is sure to have, in characters.
const wide = 80

func newTimeline() *cobra.Command {
	var (
		from, saved, out, trace, only string
		seed                          uint64
		text                          bool
	)
	c := &cobra.Command{
		Use: "timeline KATA", Short: "Draw a run over time: every process, what it waited for, what was found", Args: cobra.ExactArgs(1),
		Long: `Timeline runs the tests of one kata, once, and draws what was seen: a lane for each
process, what it was doing, the locks it held, how it ended, and each finding at its
moment. It writes one HTML page that needs no network. With --saved it draws a run that
check --save kept, and runs nothing.`,
		Example: `  checker timeline deadlock
  checker timeline pool --from solutions --text --test TestMap
  checker timeline spawn --saved DIR --trace spawn.json`,
		ValidArgsFunction: completeKatas,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, katas, err := load(args)
			if err != nil {
				return err
			}
			if len(katas) != 1 {
				return check.Usage{Err: errors.New("timeline draws one kata: make timeline KATA=spawn")}
			}
			k := katas[0]
			var run evidence.Run
			if saved != "" {
				run, err = reread(saved, k.Folder)
			} else {
				if !cmd.Flags().Changed("seed") {
					seed = uint64(rand.Uint32N(1_000_000))
				}
				if filepath.Ext(from) == patch.Ext {
					if from, err = flaw.Unpack(root, from, filepath.Join(root, "bin", "flawed")); err != nil {
						return check.Usage{Err: err}
					}
				}
				o := check.Options{
					Root: root, From: from, Repeat: 1, Seed: seed, Supervisor: supervisor(),
					Saw: func(r evidence.Run, _ int) error { run = r; return nil },
				}
				if _, err := check.Katas(cmd.Context(), katas, o); err != nil {
					return fault(err)
				}
			}
			if err != nil {
				return err
			}
			if why := undrawn(run); why != "" {
				return check.Usage{Err: fmt.Errorf("nothing can be drawn: %s (make check KATA=%s tells more)", why, k.Name)}
			}
			folders := []string{root}
			if abs, err := filepath.Abs(from); err == nil && from != "" {
				folders = append(folders, abs)
			}
			p := timeline.New(run, sourceLines(folders...))
			if only != "" && !p.Only(only) {
				return check.Usage{Err: fmt.Errorf("--test: kata %s has run no test %q", k.Name, only)}
			}
			if trace != "" {
				if err := writeFile(trace, p.Trace); err != nil {
					return fault(err)
				}
				fmt.Fprintln(cmd.OutOrStdout(), "trace:", trace, "(for ui.perfetto.dev or chrome://tracing)")
			}
			switch {
			case text:
				p.Text(cmd.OutOrStdout(), wide)
			case trace == "" || out != "":
				if out == "" {
					out = filepath.Join(root, "bin", "timeline-"+k.Name+".html")
				}
				if err := writeFile(out, p.HTML); err != nil {
					return fault(err)
				}
				fmt.Fprintln(cmd.OutOrStdout(), "open in a browser:", out)
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&from, "from", "", "run the sources in this `folder` (same layout as katas/)")
	f.StringVar(&saved, "saved", "", "draw the run that check --save has written into this `folder`")
	f.StringVarP(&out, "out", "o", "", "write the page into this `file` (bin/timeline-KATA.html if not given)")
	f.StringVar(&trace, "trace", "", "write a `file` for Perfetto and chrome://tracing")
	f.StringVar(&only, "test", "", "draw this `test` alone")
	f.Uint64Var(&seed, "seed", 0, "`number` that chooses all that is random")
	f.BoolVar(&text, "text", false, "draw on the terminal, 80 characters wide")
	_ = c.MarkFlagDirname("from")
	_ = c.MarkFlagDirname("saved")
	c.MarkFlagsMutuallyExclusive("saved", "from")
	c.MarkFlagsMutuallyExclusive("text", "out")
	return c
}

// reread returns of the runs of a kata that were saved in dir the first in which something
// was found, else the first.
func reread(dir, folder string) (evidence.Run, error) {
	all, err := record.Load(dir)
	if err != nil {
		return evidence.Run{}, check.Usage{Err: err}
	}
	for _, k := range all {
		if k.Facts.Folder == folder {
			i := slices.IndexFunc(k.Runs, func(r evidence.Run) bool { return len(detect.All(r)) > 0 })
			return k.Runs[max(i, 0)], nil
		}
	}
	return evidence.Run{}, check.Usage{Err: fmt.Errorf("%s holds no run of %s", dir, folder)}
}

// undrawn says why nothing of a run can be drawn.
func undrawn(run evidence.Run) string {
	switch {
	case run.Fault != "":
		return run.Fault
	case len(run.Policy) > 0 && !run.Build.OK:
		return "the source was refused"
	case !run.Build.OK:
		return "the source does not compile"
	}
	for _, t := range run.Tests {
		if t.Status != "" {
			return ""
		}
	}
	return "no test has run"
}

// largest bounds a source file whose lines are shown, in bytes.
const largest = 1 << 20

// sourceLines reads the lines that findings name. Which file that is a program may have had
// a say in, and a page is handed on: nothing is read but Go files below the folders, and no
// link leads out of them.
func sourceLines(folders ...string) func(file string, line int) string {
	files := map[string][]string{}
	return func(file string, line int) string {
		text, known := files[file]
		if !known {
			for _, folder := range folders {
				if b, err := readBelow(folder, file); err == nil {
					text = strings.Split(string(b), "\n")
					break
				}
			}
			files[file] = text // without it a place is told without its text
		}
		if line < 1 || line > len(text) {
			return ""
		}
		return strings.TrimSpace(text[line-1])
	}
}

func readBelow(folder, file string) ([]byte, error) {
	if filepath.IsAbs(file) {
		rel, err := filepath.Rel(folder, file)
		if err != nil {
			return nil, err
		}
		file = rel
	}
	if filepath.Ext(file) != ".go" {
		return nil, fs.ErrInvalid
	}
	dir, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if info, err := dir.Stat(file); err != nil || !info.Mode().IsRegular() || info.Size() > largest {
		return nil, fs.ErrInvalid
	}
	return dir.ReadFile(file)
}

// writeFile writes a file as a whole, or not at all.
func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".timeline-")
	if err != nil {
		return fmt.Errorf("write the timeline: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("write the timeline: %w", err)
	}
	return os.Rename(f.Name(), path)
}
