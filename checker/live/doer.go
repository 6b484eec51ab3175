package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"prokata/checker/internal/check"
	"prokata/checker/internal/check/proved"
	"prokata/checker/internal/climb"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/report"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/plan"
)

// A worker is the doer of a program on a terminal.
type worker struct {
	root       string
	supervisor []string
	send       func(tea.Msg)
	files      *follower

	mu    sync.Mutex
	stand climb.Standing
	end   func() // ends the run and returns when nothing of it is left
}

func (w *worker) check(n int, k kata.Kata, force bool) tea.Cmd {
	return func() tea.Msg {
		w.halt()
		ctx, cancel := context.WithCancel(context.Background())
		over := make(chan struct{})
		w.mu.Lock()
		before := w.stand[k.Name]
		w.end = func() {
			cancel()
			<-over
		}
		w.mu.Unlock()
		go func() {
			defer close(over)
			defer cancel()
			v := verdict{n: n, before: before}
			compiled := 0
			verdicts, err := check.Katas(ctx, []kata.Kata{k}, check.Options{
				Root: w.root, Repeat: 1, Climb: true, Seed: uint64(rand.Uint32N(1_000_000)), Supervisor: w.supervisor,
				Untouched: func(p plan.Plan) bool { return climb.Untouched(w.root, p) }, Proved: proved.Open(w.root, force),
				Begun: func(_ kata.Kata, s check.Stage) {
					compiled = 0
					w.send(begun{n, s})
				},
				Compiled: func(string, bool) {
					if compiled++; compiled == few {
						w.send(library{n})
					}
				},
			})
			if ctx.Err() != nil {
				return // the next run has begun, or the program ends
			}
			if v.err = err; err == nil {
				v.kata = verdicts[0]
				w.mu.Lock()
				w.stand.Save(w.root, verdicts)
				w.mu.Unlock()
			}
			w.send(v)
		}()
		return nil
	}
}

// halt ends what runs, and returns when nothing of it is left.
func (w *worker) halt() {
	w.mu.Lock()
	end := w.end
	w.end = nil
	w.mu.Unlock()
	if end != nil {
		end()
	}
}

func (w *worker) stop() tea.Cmd {
	return func() tea.Msg {
		w.halt()
		return nil
	}
}

func (w *worker) follow(k kata.Kata) { w.files.follow(k) }

func (w *worker) standing() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[string]int{}
	for name, n := range w.stand {
		all[name] = n
	}
	return all
}

func (w *worker) hint(k kata.Kata, step, level int) tea.Cmd {
	return func() tea.Msg {
		hints, err := k.Hints(step)
		if err != nil || level > len(hints) {
			return shown{title: "hint", text: fmt.Sprintf("There is no hint: %v\n", err)}
		}
		text := strings.TrimSpace(hints[level-1])
		if level < len(hints) {
			text += "\n\nh tells more"
		}
		return shown{title: fmt.Sprintf("hint %d of %d", level, len(hints)), text: text}
	}
}

func (w *worker) explain(code string) tea.Cmd {
	return func() tea.Msg {
		d, _ := detect.Find(code)
		return shown{title: code + ": " + d.Title, text: strings.ReplaceAll(d.Doc, "\t", "    ")}
	}
}

func (w *worker) solution(k kata.Kata, step int) tea.Cmd {
	return func() tea.Msg {
		text, err := climb.Solution(w.root, k, step)
		if err != nil {
			text = err.Error()
		}
		return shown{title: fmt.Sprintf("what the reference does at step %d, %s", step, k.Steps[step-1].Name), text: strings.ReplaceAll(text, "\t", "    ")}
	}
}

func (w *worker) reset(k kata.Kata) tea.Cmd {
	return func() tea.Msg {
		kept, err := climb.Reset(w.root, k)
		var b strings.Builder
		for _, f := range kept {
			fmt.Fprintf(&b, "%s is kept as %s\n", f.Old, filepath.Join("katas", k.Folder, f.New))
		}
		if err != nil {
			b.WriteString(report.Printable(err.Error()))
		} else if len(kept) == 0 {
			b.WriteString("The stub is as it came: there was nothing to do.")
		}
		return shown{title: "begun anew", text: b.String() + "\nesc goes back", stays: true}
	}
}

// few is more than the packages that are a kata's own, and are compiled anew each time.
const few = 20

// calm is how long a folder must be left alone before it is read: an editor writes a file
// in several steps.
const calm = 100 * time.Millisecond
