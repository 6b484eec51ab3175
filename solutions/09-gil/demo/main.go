// Command demo measures one task in all ways, prints the table and the bars, and
// writes the drawing to a file:
//
//	go run ./solutions/09-gil/demo -svg gil.svg
//
// The figures are worth something on a machine that has nothing else to do.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/moby/sys/reexec"

	gil "prokata/solutions/09-gil"
)

func init() { gil.Register("mix", gil.Mix) }

func main() {
	// The workers are this program too, started again.
	if reexec.Init() {
		return
	}
	svg := flag.String("svg", "", "write the drawing to this `file`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := show(ctx, *svg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		if ctx.Err() != nil {
			os.Exit(130) // as a shell reports a program that Ctrl-C ended
		}
		os.Exit(1)
	}
}

// show measures and prints. Python's units are so much slower that it gets fewer.
func show(ctx context.Context, svg string) error {
	table, err := gil.Measure(ctx, "mix", []int{1, 2, 4}, []int{1_000, 10_000, 100_000})
	if err != nil {
		return err
	}
	python, err := gil.Python(ctx, []int{1, 2, 4}, []int{30, 300, 3_000})
	if err != nil && !errors.Is(err, gil.ErrNoPython) {
		return err
	}
	table.Rows = append(table.Rows, python...)
	var text, drawing bytes.Buffer
	if err := errors.Join(table.Text(&text), table.Chart(&text), table.SVG(&drawing)); err != nil {
		return err
	}
	fmt.Print(text.String())
	if err != nil {
		fmt.Println("\nwithout Python:", err)
	}
	if svg == "" {
		return nil
	}
	return os.WriteFile(svg, drawing.Bytes(), 0o644)
}
