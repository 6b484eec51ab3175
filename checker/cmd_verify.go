package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"prokata/checker/internal/prove/verify"
	"prokata/checker/internal/source/kata"
)

func newVerify() *cobra.Command {
	o := verify.Options{}
	c := &cobra.Command{
		Use:   "verify [KATA...]",
		Short: "Prove the content: stubs, solutions, and every known mistake",
		Long: `Verify runs each kata's stub (exactly "not started" in every test), its solution
(passes), and every flaw in testdata/flawed (exactly the findings that it asks for), and
names each test that catches no flaw. Exit code 1 if anything is not as it must be.`,
		ValidArgsFunction: completeKatas,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, katas, err := load(args)
			var m kata.Mistake
			if errors.As(err, &m) {
				// No kata can be proved by facts that are wrong.
				problem(cmd.OutOrStdout(), verify.Problem{Where: m.Folder, What: m.What, Next: "mend katas/" + m.Folder + "/kata.json, then make verify"})
				return errFailed
			}
			if err != nil {
				return err
			}
			o.Root, o.Supervisor = root, supervisor()
			step, clear := counting(os.Stderr)
			o.Progress = step
			start := time.Now()
			t, err := verify.Katas(cmd.Context(), katas, o)
			clear()
			if err != nil {
				for _, p := range t.Problems { // what is known by now is not lost
					problem(cmd.OutOrStdout(), p)
				}
				return fault(err)
			}
			show(cmd.OutOrStdout(), t, time.Since(start))
			if !t.OK() {
				return errFailed
			}
			return nil
		},
	}
	f := c.Flags()
	f.Uint64Var(&o.Seed, "seed", 1, "`number` that chooses all that is random")
	f.IntVar(&o.Repeat, "repeat", 2, "run each solution this many `times`")
	f.IntVar(&o.Attempts, "attempts", 5, "give a mistake this many `runs` to show itself")
	f.BoolVar(&o.Quick, "quick", false, "run only the tests that a flaw names, with the race detector only where a race is to be found")
	f.BoolVar(&o.Plain, "plain", false, "run a mistake without the race detector first, and with it only where that does not show it")
	f.StringVar(&o.Only, "only", "", "verify only flaws whose name contains this `text`")
	return c
}

func show(w io.Writer, t verify.Tally, d time.Duration) {
	for _, p := range t.Problems {
		problem(w, p)
	}
	for _, name := range t.Flaky {
		fmt.Fprintf(w, "caught, but not in the first run: %s\n", name)
	}
	for _, c := range t.Contracts {
		fmt.Fprintf(w, "%-13s %3d sentences promised, %d broken by no known mistake\n", c.Kata, c.Sentences, c.Open)
	}
	for _, c := range t.Climbs {
		heights := slices.Sorted(slices.Values(c.Heights))
		if n := len(heights); n > 0 {
			fmt.Fprintf(w, "%-13s %2d steps, highest %d lines, median %d\n", c.Kata, n, heights[n-1], heights[n/2])
		}
	}
	fmt.Fprintf(w, "%d katas, %d flaws: %d caught, %d missed, %d false alarms, %d idle tests, %d not at the first run (%.0f s)\n",
		t.Katas, t.Flaws, t.Caught, len(t.Missed), len(t.FalseAlarms), len(t.Idle), len(t.Flaky), d.Seconds())
}

func problem(w io.Writer, p verify.Problem) {
	fmt.Fprintf(w, "%s: %s\n    next: %s\n", p.Where, p.What, p.Next)
}
