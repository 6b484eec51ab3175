package report

import (
	"fmt"
	"strings"

	"prokata/checker/internal/source/kata"
)

// Table is the overview of the katas in README.md, made from their kata.json.
func Table(katas []kata.Kata) string {
	var b strings.Builder
	b.WriteString("| | kata | what it teaches | Python's counterpart | made from |\n| --- | --- | --- | --- | --- |\n")
	for _, k := range katas {
		fmt.Fprintf(&b, "| %d | [%s](katas/%s/README.md) | %s | `%s` | %s |\n",
			k.Number, k.Name, k.Folder, k.Teaches, k.Python, strings.Join(k.Primitives, ", "))
	}
	return b.String()
}
