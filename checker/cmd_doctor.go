package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"prokata/checker/internal/check"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/tree/box"
	runner "prokata/checker/internal/tree/run"
)

// boxed is the command by which this program serves as process 1 of a sandbox.
func boxed() []string { return []string{supervisor()[0], "boxed"} }

func newBoxed() *cobra.Command {
	return &cobra.Command{
		Use: "boxed", Short: "Serve as process 1 of a sandbox (started by check)", Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return fault(check.Boxed(cmd.Context(), boxed(), args, judge))
		},
	}
}

// judge decides what snapshots mean.
var judge = runner.Judge{Dead: detect.Dead, Partial: detect.Partial}

func newDoctor() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Look what this machine can keep untrusted code in", Args: cobra.NoArgs,
		Long: `Doctor builds the sandbox in which check --untrusted builds and runs submissions, has a
process in it try every layer, and says what is missing and how to get it. The tiers:

  full     every layer
  strong   code under test reaches nothing but itself; what is missing is a second wall
           behind a first, or bounds what it may use up, which the supervisor then does
  none     untrusted code is not run here, unless you say --trust

Exit code: 0 for full and strong, 1 for none.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := check.ProbeSandbox(boxed())
			if err != nil {
				return fault(err)
			}
			out := cmd.OutOrStdout()
			for _, l := range s.Layers {
				if l.OK {
					fmt.Fprintf(out, "  yes  %s\n", l.Name)
				} else {
					fmt.Fprintf(out, "  no   %s: %s\n       to get it: %s\n", l.Name, l.Why, box.How(l.Name))
				}
			}
			tell(out, s)
			if s.Tier == box.None {
				return errFailed
			}
			return nil
		},
	}
}

// tell says in one line what untrusted code runs in.
func tell(w io.Writer, s evidence.Sandbox) {
	if s.Missing == "" {
		fmt.Fprintf(w, "sandbox: %s\n", s.Tier)
		return
	}
	fmt.Fprintf(w, "sandbox: %s (missing: %s; see checker doctor)\n", s.Tier, s.Missing)
}
