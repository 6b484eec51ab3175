package findings

import (
	"os"
	"strings"

	"github.com/moby/sys/reexec"
)

func init() {
	reexec.Register("upper", func() { os.Stdout.WriteString(strings.ToUpper(os.Args[1])) })
}

// NotProcessesWrong was asked for a process, and starts a goroutine.
func NotProcessesWrong(s string) (string, error) {
	answer := make(chan string)
	go func() { answer <- strings.ToUpper(s) }()
	return <-answer, nil
}

// NotProcessesRight starts a process.
func NotProcessesRight(s string) (string, error) {
	out, err := reexec.Command("upper", s).Output()
	return string(out), err
}
