package detect

import (
	"slices"

	"prokata/checker/internal/evidence"
)

// refused reports whether the source was refused by what it holds: then nothing was
// built.
func refused(run evidence.Run) bool {
	return slices.ContainsFunc(run.Policy, func(b evidence.Breach) bool { return b.Refused })
}

// breached tells in one finding, which f begins, of what was refused: mistakes, or
// what is none.
func breached(run evidence.Run, mistakes bool, f Finding) []Finding {
	for _, b := range run.Policy {
		if !b.Refused || b.Mistake != mistakes {
			continue
		}
		f.Detail = append(f.Detail, b.Place()+": "+b.Message)
		if f.File == "" {
			f.File, f.Line = b.File, b.Line
			f.Next = remedy[b.Rule]
		}
	}
	if f.Detail == nil {
		return nil
	}
	if f.Next == "" {
		f.Next = "take out the line named; no kata needs it"
	}
	return []Finding{f}
}

// remedy says what to do, by the rule that was broken, where that is more than to
// take it out.
var remedy = map[string]string{
	"constraint":  "let the file be built everywhere, or name an operating system",
	"environment": "choose another name, and give a child what it needs in cmd.Env, behind os.Environ()",
	"file":        "a kata is made of regular Go files: put one there in its place, or leave it out",
	"flags":       "take what you need from the arguments of the call; the program's own flags are the tests'",
	"import":      "do without that package",
	"init":        "let init fill tables and register functions, and nothing else",
	"pragma":      "take out that comment: the race detector must see your code, at its own lines",
	"process":     "reach other processes by what they offer: a pipe, a socket, a signal to a child of your own",
	"runtime":     "leave that setting as it is: the harness reads crashes and races by it",
	"signal":      "signal only the processes that you started",
	"size":        "keep only the kata's own files in the folder",
}
