package main

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"prokata/checker/internal/check"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/kata"
)

// What comes from outside, as messages.
type (
	saved struct{ kata string } // a source of the kata has changed
	begun struct {              // of run n
		n     int
		stage check.Stage
	}
	library struct{ n int } // run n has the standard library compiled
	verdict struct {        // of run n
		n      int
		kata   grade.Kata
		before int // the step that was reached the last time
		err    error
	}
	shown struct {
		title, text string // what was looked up
		stays       bool   // also when a verdict comes
	}
)

// A doer does what the model cannot: run, and read the kata's files.
type doer interface {
	check(n int, k kata.Kata, force bool) tea.Cmd // ends the run before, then begins run n
	stop() tea.Cmd                                // ends the run
	follow(k kata.Kata)                           // tells from now on of this kata's files
	hint(k kata.Kata, step, level int) tea.Cmd
	explain(code string) tea.Cmd
	solution(k kata.Kata, step int) tea.Cmd
	reset(k kata.Kata) tea.Cmd
	standing() map[string]int
}

// A pane is what the middle of the screen shows.
type pane int

const (
	result pane = iota // of the last check
	text               // what was looked up
	list               // the katas
	ask                // whether to begin anew
)

// A model is the state of the screen. It starts nothing by itself: whatever happens comes
// as a message, and whatever it wants is a command of its doer.
type model struct {
	do     doer
	katas  []kata.Kata
	at     int // the kata that is watched
	colour bool

	width, height int

	n       int // of the last run that was begun
	running bool
	stage   check.Stage
	library bool               // the standard library is being compiled
	last    map[string]verdict // by kata
	pane    pane
	shown   shown
	level   int // of hints that were shown of this kata's step
	cursor  int // in the list
	scroll  int
}

func newModel(do doer, katas []kata.Kata, at int, colour bool) model {
	return model{do: do, katas: katas, at: at, colour: colour, width: 80, height: 24, last: map[string]verdict{}, cursor: at}
}

func (m model) kata() kata.Kata { return m.katas[m.at] }

func (m model) Init() tea.Cmd { return func() tea.Msg { return saved{m.kata().Name} } }

func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.ResumeMsg:
		return m.begin(false)
	case saved:
		if msg.kata == m.kata().Name {
			return m.begin(false)
		}
	case begun:
		if msg.n == m.n {
			m.stage, m.library = msg.stage, false
		}
	case library:
		m.library = msg.n == m.n
	case verdict:
		if msg.n == m.n { // one that was ended has nothing to say
			m.running = false
			m.last[m.kata().Name] = msg
			m.level = 0
			if m.pane == result || m.pane == text && !m.shown.stays {
				m.pane, m.scroll = result, 0
			}
		}
	case shown:
		m.pane, m.shown, m.scroll = text, msg, 0
	case tea.KeyPressMsg:
		return m.key(msg.String())
	}
	return m, nil
}

// begin checks the kata anew.
func (m model) begin(force bool) (tea.Model, tea.Cmd) {
	m.n++
	m.running, m.stage, m.library = true, check.Stage{}, false
	return m, m.do.check(m.n, m.kata(), force)
}

// step is the one at which the kata stands, 0 if it has none.
func (m model) step() int {
	k := m.kata()
	if len(k.Steps) == 0 {
		return 0
	}
	return min(max(1, m.do.standing()[k.Name]), len(k.Steps))
}

func (m model) key(key string) (tea.Model, tea.Cmd) {
	switch key {
	case "ctrl+c", "q":
		return m, tea.Quit
	case "ctrl+z":
		// What runs would stand still with us, and be judged for it.
		m.n++
		m.running = false
		return m, tea.Sequence(m.do.stop(), tea.Suspend)
	case "down", "j":
		if m.pane == list {
			m.cursor = min(m.cursor+1, len(m.katas)-1)
		} else {
			m.scroll = min(m.scroll+1, m.most())
		}
		return m, nil
	case "up", "k":
		if m.pane == list {
			m.cursor = max(m.cursor-1, 0)
		} else {
			m.scroll = max(m.scroll-1, 0)
		}
		return m, nil
	case "pgdown", "space":
		m.scroll = min(m.scroll+m.room(), m.most())
		return m, nil
	case "pgup":
		m.scroll = max(m.scroll-m.room(), 0)
		return m, nil
	}
	if m.pane == ask {
		m.pane = result
		if key == "y" {
			return m, m.do.reset(m.kata())
		}
		return m, nil
	}
	k := m.kata()
	switch key {
	case "esc", "backspace":
		m.pane, m.scroll = result, 0
	case "enter":
		if m.pane == list {
			return m.jump(m.cursor)
		}
		m.pane, m.scroll = result, 0
	case "r":
		return m.begin(true)
	case "l":
		m.pane, m.cursor, m.scroll = list, m.at, 0
	case "n":
		if m.at+1 < len(m.katas) {
			return m.jump(m.at + 1)
		}
	case "p":
		if m.at > 0 {
			return m.jump(m.at - 1)
		}
	case "h":
		m.level = min(m.level+1, kata.Levels)
		return m, m.do.hint(k, m.step(), m.level)
	case "e":
		if code := m.code(); code != "" {
			return m, m.do.explain(code)
		}
	case "s":
		if step := m.do.standing()[k.Name] - 1; step > 0 {
			return m, m.do.solution(k, min(step, len(k.Steps)))
		}
		m.pane, m.shown, m.scroll = text, shown{title: "solution", text: "No step holds yet. What a step's reference does is shown once yours holds.\n"}, 0
	case "x":
		m.pane, m.scroll = ask, 0
	}
	return m, nil
}

// jump watches another kata.
func (m model) jump(to int) (tea.Model, tea.Cmd) {
	m.at, m.cursor, m.level, m.pane, m.scroll = to, to, 0, result, 0
	m.do.follow(m.kata())
	return m.begin(false)
}

// code is that of the finding that is told first.
func (m model) code() string {
	v := m.last[m.kata().Name].kata
	at, ok := v.Stands()
	for _, f := range v.Findings {
		t, known := m.kata().Test(f.Test)
		if f.Follows == "" && (!ok || !known || t.Step == at.Number) {
			return f.Code
		}
	}
	return ""
}

// status says in a few words what goes on.
func (m model) status() string {
	if !m.running {
		return "waits for a save"
	}
	what := "building"
	if m.stage.Running {
		what = "running"
	}
	if m.stage.Race {
		what += " with the race detector"
	}
	if m.library {
		what = "compiling the standard library, the first time only"
	}
	return what + " …"
}

func (m model) title() string {
	k := m.kata()
	parts := []string{fmt.Sprintf("%d %s", k.Number, k.Name)}
	if n := len(k.Steps); n > 0 {
		if m.do.standing()[k.Name] > n {
			parts = append(parts, fmt.Sprintf("all %d steps", n))
		} else {
			parts = append(parts, fmt.Sprintf("step %d of %d", m.step(), n))
		}
	}
	return strings.Join(append(parts, m.status()), " · ")
}
