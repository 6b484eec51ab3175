package findings

import (
	"io"
	"strings"
)

// LimitWrong prints until nobody can take any more.
func LimitWrong(out io.Writer) error {
	for {
		if _, err := io.WriteString(out, strings.Repeat("all work and no play\n", 1000)); err != nil {
			return err
		}
	}
}

// LimitRight prints what was asked for.
func LimitRight(out io.Writer) error {
	_, err := io.WriteString(out, "all work and no play\n")
	return err
}
