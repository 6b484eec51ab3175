package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"prokata/checker/internal/prove/mutate"
	"prokata/checker/internal/prove/verify"
)

// mutantsKilled is the share of the mutants that the tests of a kata must kill.
const mutantsKilled = 0.9

func newMutate() *cobra.Command {
	o := verify.Options{}
	t, each := verify.Trial{}, false
	c := &cobra.Command{
		Use:   "mutate [KATA...]",
		Short: "Try the tests on small mistakes in the solutions",
		Long: `Mutate makes small mistakes in each solution, one at a time (a Wait dropped, a condition
turned round, an error ignored), runs the kata's tests on each, and shows those that no
test noticed. What does the same as the original is listed with its reason in
testdata/mutants/NN-name.txt. Exit code 1 if a kata's tests kill less than 90 %.`,
		ValidArgsFunction: completeKatas,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, katas, err := load(args)
			if err != nil {
				return err
			}
			o.Root, o.Supervisor = root, supervisor()
			out, low := cmd.OutOrStdout(), false
			step, clear := counting(os.Stderr)
			o.Progress = step
			if each {
				t.Tried = func(m mutate.Mutant, fate verify.Fate, killer string) {
					clear()
					fmt.Fprintf(out, "%s %s:%d %s %s: %s %s\n", m.ID, m.File, m.Line, m.Operator, m.Description, fate, killer)
				}
			}
			for _, k := range katas {
				start := time.Now()
				m, err := verify.Mutants(cmd.Context(), k, t, o)
				clear()
				if err != nil {
					return fault(err)
				}
				for _, s := range m.Survived {
					fmt.Fprintf(out, "survived:\n%s\n", mutate.Diff(s))
				}
				for _, e := range m.Equivalent {
					fmt.Fprintf(out, "equivalent: %s %s: %s\n", e.Mutant.ID, e.Mutant.Description, e.Reason)
				}
				fmt.Fprintf(out, "%2d %-14s %3d killed, %d survived, %d equivalent, %d not compiled: %.1f %% (%.0f s)\n",
					k.Number, k.Name, m.Killed, len(m.Survived), len(m.Equivalent), m.Unbuilt, 100*m.Rate(), time.Since(start).Seconds())
				low = low || m.Rate() < mutantsKilled
			}
			if low {
				return errFailed
			}
			return nil
		},
	}
	f := c.Flags()
	f.Uint64Var(&o.Seed, "seed", 1, "`number` that chooses all that is random")
	f.IntVar(&o.Attempts, "attempts", 2, "give each mutant this many `runs` to show itself")
	f.IntVar(&t.Sample, "sample", 0, "try only so `many` mutants of each kata (0: all)")
	f.StringSliceVar(&t.IDs, "only", nil, "try only the mutants with these `IDs`")
	f.IntVar(&t.AtOnce, "jobs", 2*runtime.NumCPU(), "try so `many` mutants side by side")
	f.BoolVarP(&each, "verbose", "v", false, "print what became of each mutant, and what noticed it")
	return c
}
