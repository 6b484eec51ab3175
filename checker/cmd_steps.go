package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"prokata/checker/internal/check"
	"prokata/checker/internal/prove/steps"
	"prokata/checker/internal/source/kata"
)

func newSteps() *cobra.Command {
	c := &cobra.Command{Use: "steps", Short: "Edit the witnesses of a kata's steps, from the stub to the solution"}
	// one finds the kata that the first argument names.
	one := func(args []string) (string, kata.Kata, error) {
		root, katas, err := load(args[:1])
		if err == nil && len(katas) != 1 {
			err = check.Usage{Err: errors.New("steps takes one kata: checker steps unpack spawn DIR")}
		}
		if err == nil && len(katas[0].Steps) == 0 {
			err = check.Usage{Err: fmt.Errorf("kata %s has no steps in its kata.json yet", katas[0].Name)}
		}
		if err != nil {
			return "", kata.Kata{}, err
		}
		return root, katas[0], nil
	}
	c.AddCommand(
		&cobra.Command{
			Use: "unpack KATA DIR", Short: "Write the source as it stands after each step into DIR/NN-step", Args: cobra.ExactArgs(2),
			ValidArgsFunction: completeKatas,
			RunE: func(cmd *cobra.Command, args []string) error {
				root, k, err := one(args)
				if err != nil {
					return err
				}
				names, err := steps.Unpack(root, k, args[1])
				for _, name := range names {
					fmt.Fprintf(cmd.OutOrStdout(), "wrote %s/%s\n", args[1], name)
				}
				if err != nil {
					return check.Usage{Err: err}
				}
				return nil
			},
		},
		&cobra.Command{
			Use: "pack KATA DIR", Short: "Write the patches of the steps from DIR/NN-step", Args: cobra.ExactArgs(2),
			ValidArgsFunction: completeKatas,
			RunE: func(cmd *cobra.Command, args []string) error {
				root, k, err := one(args)
				if err != nil {
					return err
				}
				if err := steps.Pack(root, k, args[1]); err != nil {
					return check.Usage{Err: err}
				}
				all, err := steps.All(root, k)
				if err != nil {
					return check.Usage{Err: err}
				}
				for _, w := range all {
					fmt.Fprintf(cmd.OutOrStdout(), "%2d %-30s %3d lines\n", w.Step, w.Name, w.Height)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "next: make verify KATA=%s\n", k.Name)
				return nil
			},
		},
	)
	return c
}
