package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"prokata/checker/internal/prove/contract"
	"prokata/checker/internal/prove/flaw"
)

func newContract() *cobra.Command {
	return &cobra.Command{
		Use: "contract [KATA...]", Short: "List the sentences of the stubs that no known mistake breaks",
		ValidArgsFunction: completeKatas,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, katas, err := load(args)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, k := range katas {
				c, err := contract.Read(k)
				if err != nil {
					return fault(err)
				}
				flaws, _, err := flaw.All(root, k.Folder)
				if err != nil {
					return fault(err)
				}
				excused, err := contract.Excuses(root, k)
				if err != nil {
					fmt.Fprintln(out, err)
				}
				var breaks []string
				for _, f := range flaws {
					breaks = append(breaks, f.Breaks...)
				}
				open, stale := c.Open(breaks, excused.Quotes)
				for _, s := range open {
					fmt.Fprintf(out, "%s: %s\n", s.Of, s.Text)
				}
				for _, q := range stale {
					fmt.Fprintf(out, "the stub does not say: %s\n", q)
				}
				fmt.Fprintf(out, "%s: %d of %d sentences are broken by no known mistake\n", k.Name, len(open), len(c.Sentences))
			}
			return nil
		},
	}
}
