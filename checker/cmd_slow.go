package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"prokata/checker/internal/prove/slow"
	"prokata/checker/internal/prove/verify"
	"prokata/checker/internal/source/kata"
)

// newSlow is what "make stress SLOW=1" calls, and in its short form "make test".
func newSlow() *cobra.Command {
	o := slow.Options{}
	short, mistakes, only := false, false, ""
	c := &cobra.Command{
		Use: "slow [KATA...]", Short: "Prove that no verdict hangs on the machine's speed", Hidden: true,
		Long: `Slow runs the solutions beside processor hogs, with a quota of a part of a core, and in
memory that has to be won back all the time: nothing may be found. With --mistakes every
known mistake runs once with that quota: it is called as ever, or not judged. Exit code 1
if anything else was said. What it makes is gone afterwards.`,
		ValidArgsFunction: completeKatas,
		RunE: func(cmd *cobra.Command, args []string) error {
			if short {
				args, o.Repeat, o.Hogs, o.Plain, mistakes = []string{"event"}, 1, 6, true, false
			}
			root, katas, err := load(args)
			if err != nil {
				return err
			}
			self := supervisor()
			o.Root, o.Supervisor, o.Hog, o.Reader = root, self, []string{self[0], "hog"}, []string{self[0], "reader"}
			o.Progress = func(what string) { fmt.Fprintln(os.Stderr, what) }
			out := cmd.OutOrStdout()
			surroundings := slow.Surroundings()
			if short {
				surroundings = surroundings[:2]
			}
			surroundings = slices.DeleteFunc(surroundings, func(s slow.Surrounding) bool { return !strings.Contains(s.Name, only) })
			rows, skipped, err := slow.Solutions(cmd.Context(), katas, surroundings, o)
			good := slowTable(out, rows, skipped)
			if err != nil {
				return fault(err)
			}
			if mistakes {
				ok, err := slowMistakes(cmd, out, katas, o)
				if err != nil {
					return fault(err)
				}
				good = good && ok
			}
			if !good {
				return errFailed
			}
			return nil
		},
	}
	f := c.Flags()
	f.Uint64Var(&o.Seed, "seed", 1, "`number` that chooses all that is random")
	f.IntVar(&o.Repeat, "repeat", 20, "run each solution this many `times` in each surrounding")
	f.IntVar(&o.Hogs, "hogs", 60, "so `many` processes take the processors")
	f.Float64Var(&o.Quota, "quota", 0.2, "leave this `part` of a core")
	f.StringVar(&only, "only", "", "only the surroundings whose name contains this `text`: hogs, quota, memory")
	f.BoolVar(&short, "short", false, "one kata, once, beside few hogs and with the quota")
	f.BoolVar(&mistakes, "mistakes", false, "run every known mistake with the quota")
	return c
}

// slowTable prints what became of the solutions, and tells whether nothing was found.
func slowTable(w io.Writer, rows []slow.Row, skipped []string) bool {
	good := true
	fmt.Fprintf(w, "%-32s %-14s %6s %10s %8s\n", "", "", "pass", "not judged", "findings")
	for _, r := range rows {
		fmt.Fprintf(w, "%-32s %-14s %6d %10d %8d\n", r.Surrounding, r.Kata, r.Passed, r.NotJudged, len(r.Findings))
		for _, f := range r.Findings {
			good = false
			fmt.Fprintf(w, "    %s\n", f)
		}
	}
	for _, s := range skipped {
		fmt.Fprintf(w, "not tried: %s\n", s)
	}
	return good
}

// slowMistakes runs the known mistakes with the quota.
func slowMistakes(cmd *cobra.Command, w io.Writer, katas []kata.Kata, o slow.Options) (bool, error) {
	within, end, err := slow.Quota(o)
	if err != nil {
		fmt.Fprintf(w, "not tried: known mistakes with a quota: %v\n", err)
		return true, nil
	}
	defer end()
	step, clear := counting(os.Stderr)
	start := time.Now()
	t, err := verify.Katas(cmd.Context(), katas, verify.Options{Root: o.Root, Supervisor: within, Seed: o.Seed, Repeat: 1, Attempts: 1, Quick: true, Progress: step})
	clear()
	if err != nil {
		return false, err
	}
	for _, name := range t.FalseAlarms {
		fmt.Fprintf(w, "another word than ever: %s\n", name)
	}
	fmt.Fprintf(w, "known mistakes with a quota: %d called as ever, %d not judged, %d not seen in one run, %d called otherwise (%.0f s)\n",
		t.Caught, len(t.NotJudged), len(t.Missed), len(t.FalseAlarms), time.Since(start).Seconds())
	return len(t.FalseAlarms) == 0, nil
}

// newHog and newReader are what makes a machine slow.
func newHog() *cobra.Command {
	return &cobra.Command{
		Use: "hog", Short: "Take a processor (started by slow)", Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { slow.Hog(); return nil },
	}
}

func newReader() *cobra.Command {
	group := ""
	c := &cobra.Command{
		Use: "reader", Short: "Fill memory with a file (started by slow)", Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			const size = 8 << 30 // more than any group of ours holds
			if err := slow.Join(group); err != nil {
				return fault(err)
			}
			return fault(slow.Read(size))
		},
	}
	c.Flags().StringVar(&group, "group", "", "join this control group `folder` first")
	return c
}
