package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"prokata/checker/internal/check"
)

// sensible refuses values that would be taken and then mean nothing: an empty text, as
// an unset variable of a script gives it, and a number below none.
func sensible(cmd *cobra.Command, _ []string) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch f.Value.Type() {
		case "string":
			if f.Value.String() == "" {
				err = check.Usage{Err: fmt.Errorf("--%s is empty: leave it out, or say what it is to be", f.Name)}
			}
		case "int":
			if n, bad := strconv.Atoi(f.Value.String()); bad == nil && n < 0 && f.Name != "repeat" { // that has words of its own
				err = check.Usage{Err: fmt.Errorf("--%s must not be negative", f.Name)}
			}
		}
	})
	return err
}
