package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"prokata/checker/internal/check"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/tree/place"
)

func newDoctor() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Say what this machine has for grading, and what it lacks", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := cmd.OutOrStdout()
			bad := false
			say := func(what string, err error, fine string) {
				if err != nil {
					bad = true
					fmt.Fprintf(w, "lacks   %-22s %v\n", what, err)
					return
				}
				fmt.Fprintf(w, "has     %-22s %s\n", what, fine)
			}
			_, err := kata.Root(".")
			say("the katas", err, "this folder is in the repository")
			program := asked{}.program()
			_, err = os.Stat(program)
			say("the checker's program", err, program)
			gocmd, err := exec.LookPath("go")
			say("Go", err, gocmd+", "+runtime.Version())
			cc, err := exec.LookPath("gcc")
			say("a C compiler", err, cc+" (for the race detector)")
			temp, err := place.Temp()
			say("room for programs", err, temp)
			walls, err := check.ProbeSandbox([]string{program, "boxed"})
			if err == nil && walls.Missing != "" {
				err = fmt.Errorf("%s: without %s (%s doctor says how to get it)", walls.Tier, walls.Missing, program)
			}
			say("a sandbox", err, fmt.Sprintf("%s: every layer", walls.Tier))
			if bad {
				return errOpen
			}
			fmt.Fprintln(w, "ready:  grader grade CLASS --roster FILE --out", filepath.Join("..", "graded"))
			return nil
		},
	}
}
