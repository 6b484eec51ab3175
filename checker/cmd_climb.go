package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"prokata/checker/internal/check"
	"prokata/checker/internal/climb"
	"prokata/checker/internal/source/kata"
)

// one loads the one kata that args name.
func one(cmd *cobra.Command, args []string) (string, kata.Kata, error) {
	root, katas, err := load(args)
	if err != nil {
		return "", kata.Kata{}, err
	}
	if len(katas) != 1 {
		return "", kata.Kata{}, check.Usage{Err: fmt.Errorf("%s takes one kata: make %[1]s KATA=spawn", cmd.Name())}
	}
	return root, katas[0], nil
}

// stepOf finds the step that a person names, or that at which the last check stopped,
// moved by so many; 0 for a kata without steps.
func stepOf(cmd *cobra.Command, root string, k kata.Kata, name string, moved int) (int, error) {
	if len(k.Steps) == 0 {
		return 0, nil
	}
	if !cmd.Flags().Changed("step") {
		name = strconv.Itoa(min(max(1, climb.Load(root)[k.Name]+moved), len(k.Steps)))
	}
	step, _, ok := k.Step(name)
	if !ok {
		return 0, check.Usage{Err: fmt.Errorf("--step (STEP) is a step of kata %s, 1 to %d, not %q", k.Name, len(k.Steps), name)}
	}
	return step, nil
}

// newLookup makes a command that shows something of the reference at a step that is
// passed already, or at any if that is asked for.
func newLookup(use, short, nothing string, look func(root string, k kata.Kata, step int) (string, error)) *cobra.Command {
	name, force := "", false
	c := &cobra.Command{
		Use: use + " KATA", Short: short, Args: cobra.ExactArgs(1), ValidArgsFunction: completeKatas,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, k, err := one(cmd, args)
			if err != nil {
				return err
			}
			step, err := stepOf(cmd, root, k, name, -1)
			if err != nil {
				return err
			}
			if step >= max(1, climb.Load(root)[k.Name]) && !force {
				return check.Usage{Err: fmt.Errorf("step %d of %s does not hold yet: make check KATA=%[2]s when it does, make hint KATA=%[2]s STEP=%[1]d for a nudge, FORCE=1 to see it all the same", step, k.Name)}
			}
			text, err := look(root, k, step)
			if err != nil {
				return check.Usage{Err: err}
			}
			if text == "" {
				text = nothing + "\n"
			}
			out := cmd.OutOrStdout()
			if step > 0 {
				fmt.Fprintf(out, "step %d of %s, %s: %s\n\n", step, k.Name, k.Steps[step-1].Name, k.Steps[step-1].Goal)
			}
			fmt.Fprint(out, text)
			return nil
		},
	}
	c.Flags().StringVar(&name, "step", "", "of which `step`: its number or name (the last that holds)")
	c.Flags().BoolVar(&force, "force", false, "show it also of a step that does not hold yet")
	return c
}

func newSolution() *cobra.Command {
	return newLookup("solution", "Show what the reference does at a step that you have passed", "it changes nothing", climb.Solution)
}

func newDiff() *cobra.Command {
	return newLookup("diff", "Compare your source with the reference after a step that you have passed", "yours is the reference, to the byte", climb.Diff)
}

func newReset() *cobra.Command {
	return &cobra.Command{
		Use: "reset KATA", Short: "Begin a kata anew: the stub as it came; what you wrote is kept beside it", Args: cobra.ExactArgs(1),
		ValidArgsFunction: completeKatas,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, k, err := one(cmd, args)
			if err != nil {
				return err
			}
			kept, err := climb.Reset(root, k)
			out := cmd.OutOrStdout()
			for _, f := range kept {
				fmt.Fprintf(out, "%s is kept as %s\n", f.Old, filepath.Join("katas", k.Folder, f.New))
			}
			if err != nil {
				return fault(err)
			}
			if len(kept) == 0 {
				fmt.Fprintln(out, "the stub is as it came: there was nothing to do")
			}
			return nil
		},
	}
}

func newDemo() *cobra.Command {
	return &cobra.Command{
		Use: "demo KATA", Short: "Run the demonstration of a kata's solution", Args: cobra.ExactArgs(1),
		ValidArgsFunction: completeKatas,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, k, err := one(cmd, args)
			if err != nil {
				return err
			}
			if _, err := os.Stat(filepath.Join(root, "solutions", k.Folder, "demo")); err != nil {
				return check.Usage{Err: fmt.Errorf("kata %s has no demonstration; those that have one: %s", k.Name, strings.Join(demos(root), ", "))}
			}
			run := exec.CommandContext(cmd.Context(), "go", "run", "./solutions/"+k.Folder+"/demo")
			run.Dir, run.Stdin, run.Stdout, run.Stderr = root, os.Stdin, os.Stdout, os.Stderr
			// The program is asked to end, so that it can end what it has started.
			run.Cancel = func() error { return run.Process.Signal(syscall.SIGINT) }
			run.WaitDelay = 5 * time.Second
			var exit *exec.ExitError
			if err := run.Run(); errors.As(err, &exit) {
				return errFailed // it has said why
			} else if err != nil {
				return fault(fmt.Errorf("run the demonstration: %w", err))
			}
			return nil
		},
	}
}

// demos are the names of the katas that have a demonstration.
func demos(root string) (names []string) {
	all, _ := kata.All(root)
	for _, k := range all {
		if _, err := os.Stat(filepath.Join(root, "solutions", k.Folder, "demo")); err == nil {
			names = append(names, k.Name)
		}
	}
	return names
}
