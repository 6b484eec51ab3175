package formats

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/judge/report"
)

// GitHub (docs.github.com/actions, workflow commands): data escapes % CR LF, a property
// also : and , ; of one kind, a step shows ten annotations. Of a summary over 1 MiB
// nothing at all is shown.
const (
	githubShown   = 10
	githubSummary = 1 << 20
)

// GitHub writes the causes as annotations, each kata's first one before all second ones;
// the last one that is shown says how many are not.
func GitHub(w io.Writer, c Check) error {
	type one struct {
		f    detect.Finding
		nth  int
		kata string
	}
	var all []one
	for _, src := range c.Sources {
		for _, v := range src.Katas {
			for i, f := range detect.Causes(v.Findings) {
				all = append(all, one{f, i, within(src.Name, v.Name)})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b one) int { return cmp.Compare(a.nth, b.nth) })
	for i, o := range all {
		if i == githubShown-1 && len(all) > githubShown {
			_, err := fmt.Fprintf(w, "::error title=prokata::and %d more: see the summary, or run the checker\n", len(all)-i)
			return err
		}
		place := ""
		if o.f.File != "" {
			place = fmt.Sprintf("file=%s,line=%d,", property(o.f.File), o.f.Line)
		}
		message := report.Printable(o.f.Message) + "\n" + "next: " + report.Printable(o.f.Next)
		if _, err := fmt.Fprintf(w, "::error %stitle=%s::%s\n", place, property(o.kata+": "+o.f.Code), data(message)); err != nil {
			return err
		}
	}
	return nil
}

func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(data(report.Printable(s)))
}

// GitHubSummary writes Markdown for $GITHUB_STEP_SUMMARY.
func GitHubSummary(w io.Writer, c Check) error {
	var b strings.Builder
	b.WriteString("## prokata\n\n| kata | verdict | points |\n| --- | --- | ---: |\n")
	for _, src := range c.Sources {
		for _, v := range src.Katas {
			fmt.Fprintf(&b, "| %s | %s | %d of %d |\n", cell(within(src.Name, v.Name)), v.Verdict, v.Score, v.Max)
		}
	}
	const more = "\n\nThere is more than a summary holds: run the checker to see all.\n"
	for _, src := range c.Sources {
		for _, v := range src.Katas {
			if part := findings(src, v); b.Len()+len(part) > githubSummary-len(more) {
				// The table alone may be too long, for a very large class.
				_, err := io.WriteString(w, cut(b.String(), githubSummary-len(more))+more)
				return err
			} else {
				b.WriteString(part)
			}
		}
	}
	_, err := io.WriteString(w, cut(b.String(), githubSummary))
	return err
}

func findings(src Source, v grade.Kata) string {
	causes := detect.Causes(v.Findings)
	if len(causes) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n", cell(within(src.Name, v.Name)))
	for _, f := range causes {
		// Four spaces make it a text in which nothing is markup.
		for line := range strings.SplitSeq(strings.TrimSpace(text([]detect.Finding{f})), "\n") {
			fmt.Fprintf(&b, "    %s\n", line)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "`", "'", "\n", " ").Replace(report.Printable(s))
}
