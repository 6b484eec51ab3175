package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"prokata/checker/internal/prove/sentences"
)

func newSentences() *cobra.Command {
	return &cobra.Command{
		Use:   "sentences [KATA...]",
		Short: "List the assertions of the katas' tests that say nothing",
		Long: `Sentences lists the assertions in katas/*/*_test.go that have no sentence of their own. What
a test says is the headline that a learner reads. Exit code 1 if a kata has more of them than
it may; that number only falls.`,
		ValidArgsFunction: completeKatas,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, katas, err := load(args)
			if err != nil {
				return err
			}
			out, more := cmd.OutOrStdout(), false
			for _, k := range katas {
				mutes, err := sentences.Find(filepath.Join(root, "katas", k.Folder))
				if err != nil {
					return fault(err)
				}
				for _, m := range mutes {
					fmt.Fprintf(out, "katas/%s/%v\n", k.Folder, m)
				}
				if may := sentences.May[k.Folder]; len(mutes) > may {
					more = true
					fmt.Fprintf(out, "%s: %d assertions say nothing, and %d may: give the new ones a sentence on what the program did wrong\n", k.Name, len(mutes), may)
				}
			}
			if more {
				return errFailed
			}
			return nil
		},
	}
}
