// Command grader grades a class: it finds whose submission is whose, checks each behind
// the checker's walls, and fills in the gradebook. Learners never build it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"prokata/checker/internal/judge/report"
	"prokata/checker/internal/tree/place"
)

// Exit codes, as the checker's: 0 the class was graded, whatever its grades; 130 and 143
// it was interrupted, and goes on where it stopped.
const (
	exitOpen  = 1 // something could not be graded
	exitUsage = 2 // the call was wrong
	exitFault = 3 // the grader's own trouble
)

// errOpen ends the program with exitOpen; what is open has been said.
var errOpen = errors.New("not all could be graded")

// usage is an error in the call, or in what was handed to it.
type usage struct{ error }

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	go func() {
		for s := range signals {
			stop(stopped{s.(syscall.Signal)}) // what runs is ended, and the program then ends by itself
		}
	}()
	place.Prepare()
	root := &cobra.Command{Use: "grader", Short: "Grade a class", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(newGrade(), newDoctor(), newSample(), newAutograder())
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var by stopped
	var wrong usage
	switch {
	case err == nil:
		return 0
	case errors.As(context.Cause(ctx), &by):
		return 128 + int(by.signal)
	case errors.Is(err, errOpen):
		return exitOpen
	}
	fmt.Fprintln(os.Stderr, "grader: "+strings.Join(report.Lines(err.Error()), "\n    "))
	if errors.As(err, &wrong) || strings.HasPrefix(err.Error(), "unknown") {
		return exitUsage
	}
	return exitFault
}

// stopped is the signal that ended the grading.
type stopped struct{ signal syscall.Signal }

func (s stopped) Error() string { return s.signal.String() }
