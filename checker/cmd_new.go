package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"prokata/checker/internal/check"
	"prokata/checker/internal/prove/scaffold"
	"prokata/checker/internal/source/kata"
)

func newNew() *cobra.Command {
	c := &cobra.Command{Use: "new", Short: "Make the folder of a new kata or a new known mistake"}
	c.AddCommand(
		&cobra.Command{
			Use: "kata NAME", Short: "Make a kata's folder and its solution's", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				root, err := kata.Root(".")
				if err != nil {
					return check.Usage{Err: err}
				}
				wrote, err := scaffold.Kata(root, args[0])
				return made(cmd.OutOrStdout(), wrote, err, "fill in the TODOs, then make verify KATA="+args[0])
			},
		},
		&cobra.Command{
			Use: "flaw KATA NAME", Short: "Begin a known mistake of a kata's solution", Args: cobra.ExactArgs(2),
			ValidArgsFunction: completeKatas,
			RunE: func(cmd *cobra.Command, args []string) error {
				root, katas, err := load(args[:1])
				if err != nil {
					return err
				}
				if len(katas) != 1 {
					return check.Usage{Err: errors.New("new flaw takes one kata")}
				}
				wrote, err := scaffold.Flaw(root, katas[0], args[1])
				return made(cmd.OutOrStdout(), wrote, err,
					fmt.Sprintf("bin/checker flaw edit %s %s: make the mistake, and say in the head what must be found", katas[0].Name, args[1]))
			},
		},
	)
	return c
}

func made(w io.Writer, wrote []string, err error, next string) error {
	for _, path := range wrote {
		fmt.Fprintln(w, "wrote", path)
	}
	if err != nil {
		return check.Usage{Err: err}
	}
	fmt.Fprintln(w, "next:", next)
	return nil
}
