package detect

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"prokata/checker/internal/evidence"
)

var goroutineLeak = Detector{
	Code:  "goroutine-leak",
	Title: "a goroutine was left behind",
	Doc: `A goroutine that the program started was still there when the call had returned, and did
not end in a growing while. It holds its stack and all that it refers to, for ever.

WRONG   go func() { results <- read() }(); return first
RIGHT   ctx, cancel := …; defer wg.Wait(); defer cancel()`,
	Detect: func(run evidence.Run) []Finding {
		var all []Finding
		for _, t := range run.Tests {
			seen := map[string]bool{}
			for _, g := range t.Left.Goroutines {
				f := Finding{
					Code: "goroutine-leak", Test: t.Name, Message: "a goroutine outlived your program's call",
					Next: "let each goroutine end, and wait for it, before the call returns",
				}.at(run, g.Frames)
				f.Detail = []string{fmt.Sprintf("it was in state %q", g.State)}
				if g.Unreachable {
					f.Detail = append(f.Detail, "nothing that still runs can reach what it waits for: it can never wake")
				}
				if g.CreatedBy != nil {
					if f.File == "" {
						f = f.at(run, []evidence.Frame{*g.CreatedBy})
					}
					f.Detail = append(f.Detail, fmt.Sprintf("started at %s:%d", g.CreatedBy.File, g.CreatedBy.Line))
				}
				if key := fmt.Sprint(f.File, f.Line); !seen[key] {
					seen[key] = true
					all = append(all, f)
				}
			}
		}
		return all
	},
}

var fdLeak = Detector{
	Code:  "fd-leak",
	Title: "a file descriptor was left open",
	Doc: `A pipe, socket or file that the program opened was still open when the call had returned.
A forgotten write end of a pipe also keeps every reader of it from seeing the end.

WRONG   r, w, _ := os.Pipe(); cmd.Stdout = w; cmd.Start(); io.ReadAll(r)
RIGHT   …; cmd.Start(); w.Close(); io.ReadAll(r); r.Close()`,
	Detect: func(run evidence.Run) []Finding {
		var all []Finding
		for _, t := range run.Tests {
			left := slices.DeleteFunc(slices.Clone(t.Left.Descriptors), func(d evidence.Descriptor) bool {
				return d.Target == "anon_inode:[pidfd]" && stillThere(t, d.Of)
			})
			if len(left) == 0 {
				continue
			}
			kind, what := thing(left[0])
			if kind == "file" {
				what = "a file"
			}
			f := Finding{
				Code: "fd-leak", Test: t.Name, Message: fmt.Sprintf("your program left %s open", what),
				Next: "close every file, pipe and socket that you open, on every path",
			}
			// What is alike and was opened at one place is told in one line.
			var lines []string
			numbers := map[string][]string{}
			for _, d := range left {
				_, line := thing(d)
				if d.Opened != nil {
					line += fmt.Sprintf(", opened at %s:%d", d.Opened.File, d.Opened.Line)
				}
				if d.From != nil {
					line += fmt.Sprintf(" for the call at %s:%d", filepath.Base(d.From.File), d.From.Line)
				}
				if numbers[line] == nil {
					lines = append(lines, line)
				}
				numbers[line] = append(numbers[line], strconv.Itoa(d.FD))
			}
			const few = 5
			for i, line := range lines {
				if i == few {
					f.Detail = append(f.Detail, fmt.Sprintf("and %d more", len(lines)-few))
					break
				}
				f.Detail = append(f.Detail, fmt.Sprintf("%s %s: %s", word(len(numbers[line]), "descriptor", "descriptors"), and(numbers[line]), word(len(numbers[line]), line, "each "+line)))
			}
			if at := left[0].Opened; at != nil {
				f.File, f.Line = at.File, at.Line
				all = append(all, f)
				continue
			}
			all = append(all, opened(run, f, kind, "opened", nil, t.Left.Reached))
		}
		return all
	},
}

// thing says what a descriptor is, and what kind of place makes such.
func thing(d evidence.Descriptor) (kind, what string) {
	switch {
	case strings.HasPrefix(d.Target, "pipe:"):
		return "pipe", "an end of a pipe"
	case strings.HasPrefix(d.Target, "socket:"):
		return "socket", "a socket"
	case d.Target == "anon_inode:[pidfd]":
		if d.Of > 0 {
			return "process", fmt.Sprintf("the handle of the child %d", d.Of)
		}
		return "process", "the handle of a child"
	case strings.HasPrefix(d.Target, "anon_inode:"):
		return "file", "an " + strings.Trim(strings.TrimPrefix(d.Target, "anon_inode:"), "[]")
	}
	return "file", "the file " + file(d.Target)
}

// file names a file, and says it if that has no name any more.
func file(path string) string {
	if strings.ContainsAny(path, "\r\n") {
		path = strconv.Quote(path)
	}
	if name, gone := strings.CutSuffix(path, " (deleted)"); gone {
		return name + " (it has been removed)"
	}
	return path
}

func stillThere(t evidence.Test, pid int) bool {
	return slices.ContainsFunc(t.Left.Processes, func(p evidence.Process) bool { return p.PID == pid })
}

var shmLeak = Detector{
	Code:  "shm-leak",
	Title: "shared memory was left behind",
	Doc: `A mapping was never unmapped, or the file or object behind shared memory was never
removed. The first costs the process its memory, the second costs the machine until it is
started anew.

WRONG   m, _ := shm.Map(f, n); return m.Load(0)
RIGHT   m, _ := shm.Map(f, n); defer m.Unmap(); return m.Load(0)`,
	Detect: func(run evidence.Run) []Finding {
		var all []Finding
		for _, t := range run.Tests {
			f := Finding{Code: "shm-leak", Test: t.Name}
			switch {
			case len(t.Left.Shared) > 0:
				f.Message, f.Next = "your program left shared memory behind, with its name", "unlink the file as soon as everybody has it open"
				f.Detail = t.Left.Shared
				f = opened(run, f, "file", "created", nil, t.Left.Reached)
			case len(t.Left.Mappings) > 0:
				f.Message, f.Next = "your program left shared memory mapped", "unmap what you map, on every path"
				var lines folded
				for _, m := range t.Left.Mappings {
					lines.add(fmt.Sprintf("%d bytes of the file %s", m.Bytes, file(filepath.Base(m.Path))))
				}
				f.Detail = lines.tell(5)
				f = opened(run, f, "map", "mapped", t.Left.Mappings[0].Opened, t.Left.Reached)
			default:
				continue
			}
			all = append(all, f)
		}
		return all
	},
}

var fileLeak = Detector{
	Code:  "file-leak",
	Title: "a temporary file or a socket path was left behind",
	Doc: `A file that the program made in the temporary folder was still there at the end: a lock
file, a socket's path, a folder. The next start may stumble over it.

WRONG   l, _ := net.Listen("unix", path); …; l.(*net.UnixListener).SetUnlinkOnClose(false)
RIGHT   l, _ := net.Listen("unix", path); defer l.Close()`,
	Detect: func(run evidence.Run) []Finding {
		var all []Finding
		for _, t := range run.Tests {
			if len(t.Left.Files) == 0 {
				continue
			}
			f := Finding{
				Code: "file-leak", Test: t.Name, Message: "your program left files in the temporary folder",
				Next: "remove what you create, on every path",
			}
			const few = 5
			for i, name := range t.Left.Files {
				if i == few {
					f.Detail = append(f.Detail, fmt.Sprintf("and %d more", len(t.Left.Files)-few))
					break
				}
				f.Detail = append(f.Detail, file(name))
			}
			all = append(all, opened(run, f, "file", "created", nil, t.Left.Reached))
		}
		return all
	},
}
