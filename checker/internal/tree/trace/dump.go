package trace

import (
	"errors"
	"fmt"
	"strings"

	"prokata/checker/internal/evidence"
)

// Dump reads what a Go process writes at its end through debug.SetCrashOutput,
// or to standard error, also behind other output:
//
//	panic: boom
//		second line
//
//	goroutine 1 [running]:
//	main.main()
//		/src/main.go:36 +0x8da
//
// The message is "panic: …", "fatal error: …" or "SIGQUIT: quit". The runtime
// keeps the words of a fatal error from the crash output and writes them to
// standard error only; such a dump has the message "fatal error". A text that
// is empty was left by a process that did not crash: no message, no error.
func Dump(text string) (message string, gs []evidence.Goroutine, err error) {
	if strings.TrimSpace(text) == "" {
		return "", nil, nil
	}
	message = headline(text)
	gs, err = goroutines(text)
	if err != nil {
		return message, gs, fmt.Errorf("dump: %w", err)
	}
	if message == "" {
		if len(gs) == 0 {
			return "", nil, fmt.Errorf("dump: no message and no goroutine in %d bytes", len(text))
		}
		return "fatal error", gs, nil
	}
	if len(gs) == 0 {
		return message, nil, errors.New("dump: no goroutine")
	}
	return message, gs, nil
}

var (
	// What the runtime begins a crash with. A panic while panicking stands
	// below the first, behind a tab.
	crash = lazy(`(?m)^(?:panic: |fatal error: |SIG[A-Z0-9]+: |\[signal )`)
	// What ends the message: the first stack.
	stacks = lazy(`(?m)^(?:goroutine \d+ .*\]:|runtime stack:|PC=0x.*)\r?$`)
)

// headline returns the runtime's own words about a crash.
func headline(text string) string {
	if end := stacks().FindStringIndex(text); end != nil {
		text = text[:end[0]]
	}
	// Other output may stand before: of the lines that look like a beginning,
	// the last is the runtime's, but a signal's line belongs to the panic above it.
	begin := -1
	for _, at := range crash().FindAllStringIndex(text, -1) {
		if text[at[0]] != '[' || begin < 0 {
			begin = at[0]
		}
	}
	if begin < 0 {
		return ""
	}
	message := strings.TrimSpace(text[begin:])
	if strings.HasPrefix(message, "[") {
		return "fatal error\n" + message
	}
	return message
}
