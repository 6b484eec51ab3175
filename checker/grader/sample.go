package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"prokata/checker/internal/class/sample"
	"prokata/checker/internal/source/kata"
)

func newSample() *cobra.Command {
	return &cobra.Command{
		Use: "sample DIR", Short: "Make a sample class in a new folder, to try the grader on", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			root, err := kata.Root(".")
			if err != nil {
				return usage{err}
			}
			list, err := os.ReadFile(filepath.Join(root, "testdata", "class", "class.txt"))
			if err != nil {
				return err
			}
			if err := os.Mkdir(args[0], 0o700); err != nil {
				return usage{fmt.Errorf("make the sample class: %w", err)}
			}
			if err := sample.Make(root, string(list), args[0]); err != nil {
				return fmt.Errorf("make the sample class: %w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "made; grade it with: make grade CLASS=%s ROSTER=testdata/class/canvas.csv OUT=DIR\n", args[0])
			return nil
		},
	}
}
