package detect

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
)

// who names a process: "pid 4312 "worker"", or the test's own.
func (s *scene) who(pid int) string {
	if pid == s.root {
		return fmt.Sprintf("pid %d (the test)", pid)
	}
	if n, known := s.graph.nodes[pid]; known && n.Name != "" && n.State != "Z" {
		return fmt.Sprintf("pid %d %q", pid, short(n.Name))
	}
	for _, o := range s.test.Openings {
		if o.Kind == "child" && o.Child == pid && o.Object != "" {
			return fmt.Sprintf("pid %d %q", pid, short(o.Object))
		}
	}
	for _, p := range s.test.Processes {
		if p.PID == pid && p.Name != "" && p.Name != "exe" {
			return fmt.Sprintf("pid %d %q", pid, short(p.Name))
		}
	}
	return fmt.Sprintf("pid %d", pid)
}

// titled names a process in a headline, where a number would only be in the way: it is
// another one in each run.
func (s *scene) titled(pid int) string {
	name := s.who(pid)
	if pid == s.root {
		return "the test's process"
	}
	if _, after, ok := strings.Cut(name, " \""); ok {
		return `"` + after
	}
	return name
}

// several names some processes, at most three of them.
func (s *scene) several(pids []int) string {
	var names []string
	for i, pid := range pids {
		if i == 3 {
			names = append(names, fmt.Sprintf("%d more", len(pids)-i))
			break
		}
		names = append(names, s.who(pid))
	}
	return join(names)
}

// join is "a", "a and b", "a, b and c".
func join(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

func at(f evidence.Frame) string { return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line) }

// plain is a function's name as its author wrote it: without "[...]", and for a function
// literal with the function that it stands in.
func plain(function string) string {
	name := strings.NewReplacer("[...]", "", "(*", "", ")", "").Replace(base(function))
	for _, literal := range []string{".func", ".gowrap", ".deferwrap"} {
		name, _, _ = strings.Cut(name, literal)
	}
	return strings.TrimPrefix(name, "init.")
}

// thing names an object for a person: "pipe:[123]", "the connection 127.0.0.1:1 to …".
func (s *scene) thing(e *edge) string {
	x := s.graph.objects[e.object]
	switch {
	case x.Kind == "listener":
		return "a connection to " + filepath.Base(x.Name)
	case x.Kind == "tcp":
		return title(x)
	case x.Kind == "unix", x.Kind == "pipe":
		return short(x.ID)
	}
	return short(e.what)
}

// waited says what a goroutine did where it stands, and who could end that.
func (s *scene) waited(x stand) string {
	other := func() string {
		switch h := s.holders(x.edge); {
		case len(h) == 0:
			return ""
		case len(h) == 1 && h[0] == x.pid:
			return " (it held the other end itself)"
		default:
			return fmt.Sprintf(" (other end: %s)", s.several(h))
		}
	}
	known := x.edge != nil && x.edge.object != ""
	switch {
	case x.does == "lock" && x.edge != nil:
		return fmt.Sprintf("waited for the lock on %s, held by %s", short(x.edge.what), s.several(s.holders(x.edge)))
	case x.does == "lock":
		return "waited for a lock on a file"
	case x.does == "child" && x.edge != nil && len(x.edge.wakers) == 1:
		return "waited for the end of " + s.who(x.edge.wakers[0])
	case x.does == "child":
		return "waited for the end of a child"
	case x.does == "accept":
		return "waited for a connection"
	case x.does == "read" && known:
		return "read from " + s.thing(x.edge) + other()
	case x.does == "read":
		return "read"
	case x.does == "write" && known:
		return "wrote into " + s.thing(x.edge) + ", which was full" + other()
	case x.does == "write":
		return "wrote"
	case x.does == "poll" && known:
		return "polled " + s.thing(x.edge) + other()
	case x.does == "poll":
		return "polled descriptors"
	case x.does == "futex":
		if x.edge != nil && x.edge.what != "" {
			return "waited for " + x.edge.what
		}
		return "waited for a word of memory"
	case x.does == "signal":
		return "waited for a signal"
	}
	for _, w := range []struct{ state, words string }{
		{"chan receive (nil chan)", "received from a channel that was nil"},
		{"chan send (nil chan)", "sent on a channel that was nil"},
		{"chan receive", "received from a channel"},
		{"chan send", "sent on a channel"},
		{"select (no cases)", "waited in a select without cases"},
		{"select", "waited in a select"},
		{"sync.Mutex", "waited for a sync.Mutex"},
		{"sync.RWMutex", "waited for a sync.RWMutex"},
		{"sync.WaitGroup", "waited for a sync.WaitGroup"},
		{"sync.Cond", "waited for a sync.Cond"},
		{"semacquire", "waited for another goroutine"},
		{"sleep", "slept"},
	} {
		if strings.HasPrefix(x.does, w.state) {
			return w.words
		}
	}
	if s.test.Deadlock == nil && strings.HasPrefix(x.does, "runn") {
		return "ran"
	}
	if x.edge != nil {
		return "waited for " + shortWords(x.edge.what)
	}
	return "stood" // it had begun to move when its stack was taken
}

// shortWords is short for each word.
func shortWords(what string) string {
	words := strings.Fields(what)
	for i := range words {
		words[i] = short(words[i])
	}
	return strings.Join(words, " ")
}

// line tells one stand: "dine.go:236 count: read from pipe:[7]; called from dine.go:180".
func (s *scene) line(x stand) string {
	if x.inTest {
		i := slices.IndexFunc(x.g.Frames, isTest)
		f := x.g.Frames[i]
		line := fmt.Sprintf("%s (the test's): %s", at(f), s.waited(x))
		if len(x.mine) > 0 {
			line += "; called from " + at(x.at)
		}
		return line
	}
	if len(x.mine) == 0 {
		return s.waited(x)
	}
	line := fmt.Sprintf("%s %s: %s", at(x.at), plain(x.at.Func), s.waited(x))
	if outer := x.mine[len(x.mine)-1]; plain(outer.Func) != plain(x.at.Func) {
		line += "; called from " + at(outer)
	}
	return line
}

// standing tells where everybody stood: the process that matters first, and what several
// do alike once.
func (s *scene) standing(first int) []string {
	order := []int{first}
	for _, x := range s.stands {
		if !slices.Contains(order, x.pid) {
			order = append(order, x.pid)
		}
	}
	for _, pid := range s.graph.order {
		if !slices.Contains(order, pid) && !s.graph.ended(pid) {
			order = append(order, pid)
		}
	}
	type block struct {
		pids  []int
		lines []string
	}
	var blocks []block
	for _, pid := range order {
		lines := s.stood(pid)
		if len(lines) == 0 {
			continue
		}
		i := slices.IndexFunc(blocks, func(b block) bool {
			return slices.Equal(anonymous(b.lines), anonymous(lines)) && s.graph.nodes[b.pids[0]].Name == s.graph.nodes[pid].Name
		})
		if i < 0 {
			blocks = append(blocks, block{[]int{pid}, lines})
		} else {
			blocks[i].pids = append(blocks[i].pids, pid)
		}
	}
	const most = 14
	var all []string
	left := 0
	for _, b := range blocks {
		if len(all)+1+min(len(b.lines), 4) > most {
			left += len(b.pids)
			continue
		}
		head := s.who(b.pids[0])
		if n := len(b.pids); n > 1 {
			head += fmt.Sprintf(", and %d like it", n-1)
		}
		if s.graph.ended(b.pids[0]) {
			continue
		}
		all = append(all, head)
		for i, l := range b.lines {
			if i == 4 && len(b.lines) > 5 {
				all = append(all, fmt.Sprintf("    and %d more goroutines", len(b.lines)-i))
				break
			}
			all = append(all, "    "+l)
		}
	}
	if left > 0 {
		all = append(all, fmt.Sprintf("and %d more processes", left))
	}
	return all
}

// identity is what differs between processes, or goroutines, that do the same.
var identity = regexp.MustCompile(`\[\d+\]|pid \d+|-\d+`)

func anonymous(lines []string) []string {
	var all []string
	for _, l := range lines {
		all = append(all, identity.ReplaceAllString(l, ""))
	}
	return all
}

// stood tells where the goroutines of one process stood. The tests' own are left out
// where there are others.
func (s *scene) stood(pid int) (lines []string) {
	count := map[string]int{}
	add := func(l string) {
		key := anonymous([]string{l})[0]
		if count[key]++; count[key] == 1 {
			lines = append(lines, l)
		}
	}
	stands := s.of(pid)
	own := slices.ContainsFunc(stands, func(x stand) bool { return x.role != tests })
	for _, x := range stands {
		if x.role != tests || !own {
			add(s.line(x))
		}
	}
	if len(stands) == 0 {
		n := s.graph.nodes[pid]
		if slices.ContainsFunc(n.Threads, func(t evidence.Thread) bool { return t.State == "T" }) {
			return []string{"was stopped by a signal"}
		}
		for _, w := range s.graph.waits(pid) {
			l := "waited for " + shortWords(w.What)
			if w.What == "" || w.For == "lock" {
				l = strings.TrimSpace("waited for a " + w.For + " " + short(w.What))
			}
			add(l)
		}
	}
	for i, l := range lines {
		if n := count[anonymous([]string{l})[0]]; n > 1 {
			lines[i] = fmt.Sprintf("%s; and %d like it", l, n-1)
		}
	}
	return lines
}
