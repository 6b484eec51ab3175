package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"prokata/checker/internal/check"
	"prokata/checker/internal/judge/detect"
)

func newExplain() *cobra.Command {
	return &cobra.Command{
		Use: "explain [CODE]", Short: "Explain a finding, with a wrong and a right program", Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var codes []string
			for _, d := range detect.Detectors() {
				codes = append(codes, d.Code+"\t"+d.Title)
			}
			return codes, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			if len(args) == 0 {
				for _, d := range detect.Detectors() {
					fmt.Fprintf(out, "%-15s %s\n", d.Code, d.Title)
				}
				return nil
			}
			d, ok := detect.Find(args[0])
			if !ok {
				var codes []string
				for _, d := range detect.Detectors() {
					codes = append(codes, d.Code)
				}
				return check.Usage{Err: fmt.Errorf("there is no finding %q; the findings are %s", args[0], strings.Join(codes, ", "))}
			}
			fmt.Fprintf(out, "%s: %s\n\n%s", d.Code, d.Title, lines(d.Doc))
			return nil
		},
	}
}

func newHint() *cobra.Command {
	level, name := 1, ""
	c := &cobra.Command{
		Use: "hint KATA", Short: "Show a hint: a nudge, a direction, or nearly the answer", Args: cobra.ExactArgs(1),
		ValidArgsFunction: completeKatas,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, k, err := one(cmd, args)
			if err != nil {
				return err
			}
			step, err := stepOf(cmd, root, k, name, 0)
			if err != nil {
				return err
			}
			hints, err := k.Hints(step)
			if err != nil {
				return fault(err)
			}
			if level < 1 || level > len(hints) {
				return check.Usage{Err: fmt.Errorf("--level (LEVEL) is 1 to %d, not %d", len(hints), level)}
			}
			out := cmd.OutOrStdout()
			fmt.Fprint(out, lines(hints[level-1]))
			if level < len(hints) {
				at := ""
				if step > 0 {
					at = fmt.Sprintf(" STEP=%d", step)
				}
				fmt.Fprintf(out, "\nmore: make hint KATA=%s%s LEVEL=%d\n", k.Name, at, level+1)
			}
			return nil
		},
	}
	c.Flags().StringVar(&name, "step", "", "of which `step`: its number or name (the one that the last check stopped at)")
	c.Flags().IntVar(&level, "level", 1, "how much to tell: 1 to 3")
	return c
}
