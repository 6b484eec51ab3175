package main

import (
	"time"

	"github.com/spf13/cobra"

	"prokata/checker/internal/check"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/judge/report"
	"prokata/checker/internal/tree/record"
)

func newJudge() *cobra.Command {
	var asJSON, verbose bool
	c := &cobra.Command{
		Use: "judge DIR", Short: "Judge saved evidence again (check --save DIR wrote it)", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			start := time.Now()
			saved, err := record.Load(args[0])
			if err != nil {
				return check.Usage{Err: err}
			}
			out := cmd.OutOrStdout()
			text := report.Text{W: out, Colour: colour(out), Verbose: verbose}
			d := report.Document{}
			for _, k := range saved {
				v := grade.Judge(k.Facts, k.Runs)
				d.Katas = append(d.Katas, v)
				d.Seed, d.Go, d.Platform = k.Runs[0].Seed, k.Runs[0].Go, k.Runs[0].Platform
				if !asJSON {
					text.Kata(v)
				}
			}
			if asJSON {
				if err := report.JSON(out, d); err != nil {
					return fault(err)
				}
			} else {
				text.Summary(d.Katas, d.Seed, time.Since(start).Seconds())
			}
			return outcome(d.Katas)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document (see docs/report.md)")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "print every test and every finding")
	c.MarkFlagsMutuallyExclusive("json", "verbose") // the document holds all of it
	return c
}
