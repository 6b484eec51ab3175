package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"prokata/checker/internal/check"
	"prokata/checker/internal/prove/flaw"
	"prokata/checker/internal/source/patch"
)

func newFlaw() *cobra.Command {
	c := &cobra.Command{Use: "flaw", Short: "Edit known mistakes, which are patches on the solutions"}
	c.AddCommand(
		&cobra.Command{
			Use: "edit KATA NAME", Short: "Open the source of a known mistake; what you save becomes its patch", Args: cobra.ExactArgs(2),
			Long: `Edit opens the head and the source that the patch makes in $VISUAL or $EDITOR, and writes
the patch anew when the editor has ended. Where the solution has changed below the patch,
git merges what it can, and the rest stands between conflict markers.`,
			ValidArgsFunction: completeKatas,
			RunE: func(cmd *cobra.Command, args []string) error {
				root, katas, err := load(args[:1])
				if err != nil {
					return err
				}
				if len(katas) != 1 {
					return check.Usage{Err: errors.New("flaw edit takes one kata")}
				}
				path := filepath.Join(root, "testdata", "flawed", katas[0].Folder, args[1]+patch.Ext)
				if _, err := os.Stat(path); err != nil {
					return check.Usage{Err: fmt.Errorf("there is no patch %q of this kata: checker new flaw %s %s makes one", args[1], katas[0].Name, args[1])}
				}
				editor := cmp.Or(os.Getenv("VISUAL"), os.Getenv("EDITOR"), "vi")
				if err := flaw.Edit(cmd.Context(), root, path, flaw.Command(editor)); err != nil {
					return fault(err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "next: make verify KATA=%s ONLY=%s\n", katas[0].Name, args[1])
				return nil
			},
		},
		&cobra.Command{
			Use: "rebase [KATA...]", Short: "Write the patches anew for the solutions as they are now",
			ValidArgsFunction: completeKatas,
			RunE: func(cmd *cobra.Command, args []string) error {
				root, katas, err := load(args)
				if err != nil {
					return err
				}
				done, left := 0, 0
				for _, k := range katas {
					paths, err := filepath.Glob(filepath.Join(root, "testdata", "flawed", k.Folder, "*"+patch.Ext))
					if err != nil {
						return fault(err)
					}
					for _, path := range paths {
						if err := flaw.Rebase(cmd.Context(), root, path); err != nil {
							left++
							name := filepath.Base(path[:len(path)-len(patch.Ext)])
							fmt.Fprintf(cmd.OutOrStdout(), "%s/%s: %v\n    next: bin/checker flaw edit %s %s\n", k.Folder, name, err, k.Name, name)
							continue
						}
						done++
					}
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%d patches are made for the solutions as they are, %d need a person\n", done, left)
				if left > 0 {
					return errFailed
				}
				return nil
			},
		},
	)
	return c
}
