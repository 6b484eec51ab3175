package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"prokata/checker/internal/check"
	"prokata/checker/internal/check/proved"
	"prokata/checker/internal/climb"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/formats"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/judge/report"
	"prokata/checker/internal/prove/flaw"
	"prokata/checker/internal/prove/slow"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/patch"
	"prokata/checker/internal/source/plan"
	"prokata/checker/internal/tree/record"
	runner "prokata/checker/internal/tree/run"
)

func newCheck() *cobra.Command {
	var (
		from      string
		repeat    int
		seed      uint64
		asJSON    bool
		format    string
		verbose   bool
		jobs      int
		save      string
		untrusted bool
		trust     bool
		all       bool
		force     bool
	)
	c := &cobra.Command{
		Use:   "check [KATA...]",
		Short: "Run the tests of katas and judge the whole tree of processes",
		Long: `Check runs each kata's tests against the sources in DIR (a folder with the layout of
katas/; the stubs in katas/ if not given) and prints a verdict for each. A KATA is a
number, a name or a folder: 3, spawn, 03-shared-memory; several may be given, also
separated by commas; none means all.

A source is read before it is built. What would blind the harness is refused; with
--untrusted also all that is not listed as needed for an answer. What is refused never
runs. Then some tests also run as canaries, which must fail: if one passes, none counts.

Exit code: 0 all passed, 1 something did not, 2 wrong call, 3 trouble of the checker's
own or of a machine that is too slow to say anything, 128+n ended by signal n.`,
		Example: `  checker check
  checker check spawn,pool --from solutions --repeat 5
  checker check 3 --json > report.json`,
		ValidArgsFunction: completeKatas,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, katas, err := load(args)
			if err != nil {
				return err
			}
			if repeat < 1 {
				return check.Usage{Err: fmt.Errorf("--repeat (REPEAT) must be at least 1, not %d", repeat)}
			}
			write := formats.Format{}
			if format != "" {
				if write, err = formats.Find(format); err != nil {
					return check.Usage{Err: err}
				}
			}
			data := asJSON || format != "" // for a program, not for a person
			if !cmd.Flags().Changed("seed") {
				seed = uint64(rand.Uint32N(1_000_000))
			}
			if filepath.Ext(from) == patch.Ext {
				// It stays there, so that what the findings name can be looked at.
				if from, err = flaw.Unpack(root, from, filepath.Join(root, "bin", "flawed")); err != nil {
					return check.Usage{Err: err}
				}
			}
			out := cmd.OutOrStdout()
			text := report.Text{W: out, Colour: colour(out), Verbose: verbose, Width: width(out)}
			p := newProgress(os.Stderr, len(katas), repeat)
			o := check.Options{
				Root: root, From: from, Repeat: repeat, Seed: seed, Supervisor: supervisor(), Untrusted: untrusted, Jobs: jobs,
				Compiled: p.compiling, Begun: p.begun, Ran: p.ran,
			}
			if save != "" {
				o.Saw = func(r evidence.Run, n int) error { return record.Save(save, r, n) }
			}
			// Who climbs wants the next step; who grades, repeats or keeps wants all.
			o.Climb = !all && !data && !verbose && !untrusted && repeat == 1 && save == ""
			if o.Climb && !cmd.Flags().Changed("seed") {
				o.Proved = proved.Open(root, force)
			}
			var before climb.Standing
			if o.Climb && from == "" {
				before = climb.Load(root)
				o.Untouched = func(p plan.Plan) bool { return climb.Untouched(root, p) }
			}
			show := func(grade.Kata) {}
			if !data {
				told := false // of several katas, the first that is not climbed yet is told in full
				show = inOrder(katas, func(v grade.Kata) {
					p.aside(func() {
						_, stands := v.Stands()
						if !o.Climb || v.Verdict == grade.CheckerError || v.Verdict == grade.NotJudged {
							text.Kata(v)
							return
						}
						text.Climb(v, before[v.Name], told)
						told = told || stands || v.Verdict == grade.Fail
					})
				})
			}
			o.Done = func(v grade.Kata) {
				p.ended(v.Name)
				show(v)
			}
			if trust && !untrusted {
				return check.Usage{Err: errors.New("--trust says what is to be run without a sandbox where --untrusted asks for one: it goes with --untrusted")}
			}
			var walls *evidence.Sandbox
			if untrusted {
				if o.Sandbox, err = check.NewSandbox(boxed(), trust); err != nil {
					return fault(err)
				}
				walls = &o.Sandbox.Found
				tell(os.Stderr, *walls)
			}
			start := time.Now()
			stop := p.tick()
			defer stop()
			verdicts, err := check.Katas(cmd.Context(), katas, o)
			stop()
			if err != nil {
				return fault(err)
			}
			switch {
			case format != "":
				if err := write.Write(out, formats.Check{Seed: seed, Start: start, Sources: []formats.Source{{Katas: verdicts}}}); err != nil {
					return fault(err)
				}
			case asJSON:
				err = report.JSON(out, report.Document{
					Seed: seed, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Sandbox: walls, Katas: verdicts,
				})
				if err != nil {
					return fault(err)
				}
			default:
				if before != nil {
					before.Save(root, verdicts)
				}
				text.Summary(verdicts, seed, time.Since(start).Seconds())
			}
			return outcome(verdicts)
		},
	}
	f := c.Flags()
	f.StringVar(&from, "from", "", "check the sources in this `folder` (same layout as katas/)")
	f.IntVar(&repeat, "repeat", 1, "run each kata this many `times`: 1 finds what goes wrong each time, 5 most of what needs the right moment, 10 what is rare; all but the first are disturbed")
	f.Uint64Var(&seed, "seed", 0, "`number` that chooses all that is random (chosen and printed if not given)")
	f.BoolVar(&asJSON, "json", false, "print one JSON document (see docs/report.md)")
	f.StringVar(&format, "format", "", "write the verdicts in this `format`: junit, ctrf, gradescope, classroom50, github, github-summary, exercism")
	f.BoolVarP(&verbose, "verbose", "v", false, "print every test and every finding")
	f.IntVar(&jobs, "jobs", 0, "check this many katas side by side (0: one for each core)")
	f.StringVar(&save, "save", "", "write the evidence into this `folder` (checker judge reads it)")
	f.BoolVar(&all, "all", false, "run everything and show every step, not only up to the first that does not hold")
	f.BoolVar(&force, "force", false, "run also what has passed and has not changed since")
	f.BoolVar(&untrusted, "untrusted", false, "refuse sources that reach for the grader, or for more than a kata needs, and run the others in a sandbox")
	f.BoolVar(&trust, "trust", false, "with --untrusted: run them also where there is no sandbox that is strong enough")
	c.MarkFlagsMutuallyExclusive("json", "format", "verbose") // a document holds all of it
	_ = c.MarkFlagDirname("from")
	_ = c.MarkFlagDirname("save")
	return c
}

// outcome is the exit status that the verdicts deserve.
func outcome(verdicts []grade.Kata) error {
	var err error
	for _, v := range verdicts {
		switch v.Verdict {
		case grade.NotJudged:
			return faultError{fmt.Errorf("%s was not judged: %s", v.Folder, v.Why)}
		case grade.CheckerError:
			return faultError{fmt.Errorf("%s could not be judged: %s", v.Folder, v.Why)}
		case grade.Pass:
		default:
			err = errFailed
		}
	}
	return err
}

// load finds the repository and the katas that args choose.
func load(args []string) (string, []kata.Kata, error) {
	root, err := kata.Root(".")
	if err != nil {
		return "", nil, check.Usage{Err: err}
	}
	all, err := kata.All(root)
	if err != nil {
		return "", nil, check.Usage{Err: err}
	}
	katas, err := kata.Select(all, args)
	if err != nil {
		return "", nil, check.Usage{Err: err}
	}
	return root, katas, nil
}

// supervisor is the command that supervises one run: this program.
func supervisor() []string {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return []string{self, "supervise"}
}

func newSupervise() *cobra.Command {
	group := ""
	c := &cobra.Command{
		Use: "supervise", Short: "Supervise one run (started by check)", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if group != "" {
				if err := slow.Join(group); err != nil {
					return fault(err)
				}
			}
			return fault(runner.Serve(cmd.Context(), os.Stdin, os.Stdout, judge, nil))
		},
	}
	c.Flags().StringVar(&group, "group", "", "join this control group `folder` first")
	return c
}

// inOrder calls show for the verdicts in the order of the katas, each as soon as
// those before it have come.
func inOrder(katas []kata.Kata, show func(grade.Kata)) func(grade.Kata) {
	waiting := map[string]grade.Kata{}
	next := 0
	return func(v grade.Kata) {
		waiting[v.Folder] = v
		for next < len(katas) {
			v, ok := waiting[katas[next].Folder]
			if !ok {
				return
			}
			show(v)
			next++
		}
	}
}

func completeKatas(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	_, katas, err := load(nil)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, k := range katas {
		names = append(names, k.Name+"\t"+k.Title)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func newList() *cobra.Command {
	markdown := false
	c := &cobra.Command{
		Use: "list", Short: "List the katas", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, katas, err := load(nil)
			if err != nil {
				return err
			}
			if markdown {
				fmt.Fprint(cmd.OutOrStdout(), report.Table(katas))
				return nil
			}
			for _, k := range katas {
				fmt.Fprintf(cmd.OutOrStdout(), "%2d %-14s %-32s %s\n", k.Number, k.Name, k.Title, filepath.Join("katas", k.Folder))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&markdown, "markdown", false, "print the table of README.md")
	return c
}

// lines trims what a person reads.
func lines(s string) string { return strings.TrimSpace(s) + "\n" }
