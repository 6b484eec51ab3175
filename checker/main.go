// Command checker checks katas of multi-process programming: it runs a kata's
// tests against a source, watches the whole tree of processes from outside, and
// says what it saw.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"

	"prokata/checker/internal/check"
	"prokata/checker/internal/tree/place"
)

// Exit codes. A signal n gives 128+n.
const (
	exitFailed = 1 // something did not pass
	exitUsage  = 2 // the call was wrong
	exitFault  = 3 // the checker's own trouble
)

// errFailed ends the program with exitFailed; what failed has been said.
var errFailed = errors.New("not passed")

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	// The first signal ends what was started; the program then ends by itself.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // nohup means it
			signal.Notify(signals, s)
		}
	}
	defer signal.Stop(signals)
	var got atomic.Int32
	go func() {
		if s, ok := <-signals; ok {
			got.Store(int32(s.(syscall.Signal)))
			cancel()
		}
	}()
	place.Prepare()
	root := newRoot()
	root.SetArgs(args)
	out := &output{to: os.Stdout}
	root.SetOut(out)
	err := root.ExecuteContext(ctx)
	if problem := out.problem(); problem != nil && got.Load() == 0 {
		err = faultError{problem}
	}
	if s := got.Load(); s != 0 {
		fmt.Fprintf(os.Stderr, "checker: ended by a signal (%v)\n", syscall.Signal(s))
		return 128 + int(s)
	}
	var fault faultError
	var usage check.Usage
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFailed):
		return exitFailed
	case errors.As(err, &usage):
		complain(err)
		return exitUsage
	case errors.As(err, &fault):
		complain(err)
		return exitFault
	default: // cobra's own: an unknown flag, a wrong number of arguments
		complain(err)
		fmt.Fprintln(os.Stderr, "See: checker --help")
		return exitUsage
	}
}

// faultError marks trouble that is the checker's own.
type faultError struct{ error }

func (f faultError) Unwrap() error { return f.error }

// fault marks err, unless it already says whose it is.
func fault(err error) error {
	var usage check.Usage
	if err == nil || errors.Is(err, errFailed) || errors.As(err, &usage) {
		return err
	}
	return faultError{err}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "checker",
		Short:         "Check katas of multi-process programming in Go",
		SilenceUsage:  true,
		SilenceErrors: true,

		PersistentPreRunE: sensible,
	}
	root.AddCommand(newCheck(), newSupervise(), newBoxed(), newDoctor(), newSlow(), newHog(), newReader(), newJudge(), newVerify(), newMutate(), newNew(), newFlaw(), newSteps(), newContract(), newExplain(), newSentences(), newHint(), newSolution(), newDiff(), newReset(), newDemo(), newList(), newTimeline())
	return root
}
