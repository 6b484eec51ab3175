package timeline

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/evidence"
)

var update = flag.Bool("update", false, "write the drawings of the recorded runs anew")

// recorded are runs of one test each, as "checker check --save" wrote them:
// testdata/evidence/timeline.
func recorded(t testing.TB) map[string]evidence.Run {
	t.Helper()
	files, err := filepath.Glob("../../../../testdata/evidence/timeline/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string]evidence.Run{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		var r evidence.Run
		require.NoError(t, json.Unmarshal(b, &r))
		all[strings.TrimSuffix(file, ".json")] = r
	}
	return all
}

// The drawings for a terminal of recorded runs are as they were.
func TestText(t *testing.T) {
	for file, run := range recorded(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var b bytes.Buffer
			New(run, nil).Text(&b, 80)
			for line := range strings.Lines(b.String()) {
				assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), 80, "%q", line)
			}
			golden := file + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(golden, b.Bytes(), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Empty(t, cmp.Diff(string(want), b.String()), "(-want +got); if this is right: go test ./checker/internal/judge/timeline -update")
		})
	}
}

// hostile is what a program can call itself, its locks and its messages.
var hostile = []string{
	`</script><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `"><svg onload=alert(1)>`, `]]>`, `<!--<script>`, `</pre></noscript><script>alert(1)</script>`,
	"\u2028alert(1)\u2029", "\x1b[2Jgone", "a\nb\rc", "\x00\xff\xfe", "\u202egnp.exe", `{"kata":1}`, `javascript:alert(1)`, `${alert(1)}`, `%s%d`, strings.Repeat("long", 5000),
}

// villain is a run in which all that a program can write is hostile.
func villain() evidence.Run {
	r := evidence.Run{Version: evidence.Version, Kata: "01-spawn", Source: hostile[0]}
	for i, name := range hostile {
		t := evidence.Test{
			Name: fmt.Sprintf("Test%d%s", i, name), Status: evidence.Failed,
			Timeline: &evidence.Timeline{
				Seconds: 1,
				Lives:   []evidence.Life{{PID: 1, Name: name, Test: true, Exit: name}, {PID: 2, Parent: 1, Name: name}},
				Doings:  []evidence.Doing{{PID: 2, From: 0.1, To: 0.2, Kind: "lock", What: name}, {PID: 2, From: 0.3, To: 0.4, Kind: name}},
				Holds:   []evidence.Hold{{PID: 1, Lock: name, From: 0.1, To: 0.3}},
				Marks:   []evidence.Mark{{At: 0.5, Kind: "judged", What: name}, {At: 0.5, Kind: name}},
			},
			Left:     evidence.Left{Processes: []evidence.Process{{PID: 2, Name: name, State: "S"}}, Files: []string{name}},
			Deadlock: &evidence.Deadlock{Waits: []evidence.Wait{{PID: 2, Name: name, For: "lock", What: name, On: []int{1}, Line: &evidence.Frame{File: name, Line: 3}}}},
		}
		r.Tests = append(r.Tests, t)
	}
	return r
}

// Whatever a program writes is text on the page: there is one script beside the data, the
// policy names its sum, and nothing is loaded from anywhere.
func TestHostilePage(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, New(villain(), func(string, int) string { return hostile[0] }).HTML(&b))
	page := b.String()
	scripts := regexp.MustCompile(`(?i)<script[^>]*>`).FindAllString(page, -1)
	assert.Equal(t, []string{`<script type="application/json" id="run">`, `<script>`}, scripts)
	assert.Len(t, regexp.MustCompile(`(?i)</script`).FindAllString(page, -1), 2)
	assert.Empty(t, regexp.MustCompile(`(?i)<img|<svg onload|<!--`).FindAllString(page, -1))
	assert.Len(t, regexp.MustCompile(`(?i)</noscript`).FindAllString(page, -1), 1)
	_, script, _ := strings.Cut(page, "<script>")
	script, _, _ = strings.Cut(script, "</script>")
	assert.Contains(t, page, "script-src '"+sum(script)+"'")
	assert.Contains(t, page, "default-src 'none'")
	assert.NotContains(t, page, "unsafe")
	assert.Empty(t, regexp.MustCompile(`(?i)(src|href)=`).FindAllString(page[:strings.Index(page, "<body>")], -1))
	_, data, _ := strings.Cut(page, scripts[0])
	data, _, _ = strings.Cut(data, "</script>")
	var p Page
	require.NoError(t, json.Unmarshal([]byte(data), &p))
	assert.Len(t, p.Tests, len(hostile))
	for _, hidden := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "http:", "https:", "import("} {
		rest := strings.ReplaceAll(lanesJS+graphJS+pageJS, SVG, "")
		assert.NotContains(t, rest, hidden, "the script must show what it is given as text alone")
	}
}

// SVG names the language of pictures; no browser loads it.
const SVG = "http://www.w3.org/2000/svg"

// Nothing that a program writes draws on the terminal.
func TestHostileText(t *testing.T) {
	var b bytes.Buffer
	New(villain(), nil).Text(&b, 80)
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSuffix(line, "\n")
		assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, "%q", line)
		for _, r := range line {
			if r < ' ' || r == 0x7f || r == '\u202e' || r == '\u2028' {
				t.Errorf("%q in %q", r, line)
			}
		}
	}
}

// crowd is a run of n processes that do something else at every look.
func crowd(n int) evidence.Run {
	l := &evidence.Timeline{Seconds: 10, Lives: []evidence.Life{{PID: 1, Test: true, Name: "TestCrowd"}}}
	for i := range n {
		pid := 1000 + i
		l.Lives = append(l.Lives, evidence.Life{PID: pid, Parent: 1, Name: "worker of the crowd", Began: evidence.Moment{At: 0.123456, After: 0.113456}, Ended: &evidence.Moment{At: 9.876543, Exact: true}, Exit: "exit status 0"})
	}
	for k := range 4000 {
		at := 0.2 + float64(k)/500
		l.Doings = append(l.Doings, evidence.Doing{PID: 1000 + k%n, From: at, To: at + 0.012345, Kind: evidence.DoingKinds[k%12], What: fmt.Sprintf("pipe:[%d]", 100000+k)})
		if k%4 == 0 {
			l.Holds = append(l.Holds, evidence.Hold{PID: 1000 + k%n, Lock: fmt.Sprintf("/tmp/prokata-1/work/fork-%03d", k%40), From: at, To: at + 0.01})
		}
	}
	return evidence.Run{Kata: "02-pool", Tests: []evidence.Test{{Name: "TestCrowd", Status: evidence.Passed, Timeline: l}}}
}

// A page of 200 processes, with as much as is kept of one test, is at most 1 MB; of a run
// of many such tests those without findings are left out, and said to be.
func TestSize(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, New(crowd(200), nil).HTML(&b))
	assert.Less(t, b.Len(), 1<<20)
	assert.NotContains(t, b.String(), "too large")
	run := crowd(200)
	for i := range 9 {
		t := run.Tests[0]
		t.Name = fmt.Sprint("TestCrowd", i)
		run.Tests = append(run.Tests, t)
	}
	b.Reset()
	require.NoError(t, New(run, nil).HTML(&b))
	assert.Less(t, b.Len(), 1<<20)
	assert.Contains(t, b.String(), "too large")
}

// The order of the lanes is that of the tree, also where evidence from elsewhere says
// what cannot be.
func TestLanes(t *testing.T) {
	life := func(pid, parent int, at float64) evidence.Life {
		return evidence.Life{PID: pid, Parent: parent, Name: "p", Began: evidence.Moment{At: at, Exact: true}}
	}
	names := func(l ...evidence.Life) (s string) {
		for _, n := range lanes(&evidence.Timeline{Lives: l}) {
			s += fmt.Sprintf("%s%d ", strings.Repeat(">", n.Depth), n.PID)
		}
		return strings.TrimSpace(s)
	}
	assert.Equal(t, "1 >3 >>4 >2", names(life(1, 0, 0), life(2, 1, 2), life(3, 1, 1), life(4, 3, 3)))
	assert.Equal(t, "1 2", names(life(1, 9, 0), life(2, 0, 1)), "a parent that was not seen is none")
	assert.Equal(t, "1 >2", names(life(1, 2, 0), life(2, 1, 0)), "a circle of parents")
	assert.Equal(t, "1", names(life(1, 1, 0)))
}

// A finding stands at the moment of its proof, or where what was left was looked at.
func TestPins(t *testing.T) {
	dead := evidence.Test{
		Name: "TestDead", Status: evidence.Aborted, Deadlock: &evidence.Deadlock{Waits: []evidence.Wait{{PID: 2, For: "lock", On: []int{2}}}, Circle: []int{2}},
		Timeline: &evidence.Timeline{Seconds: 3, Lives: []evidence.Life{{PID: 2, Name: "w"}}, Marks: []evidence.Mark{{At: 2.5, Kind: "judged", What: "deadlock"}}},
	}
	orphan := evidence.Test{
		Name: "TestOrphan", Status: evidence.Passed, Left: evidence.Left{Processes: []evidence.Process{{PID: 7, Name: "w", State: "S"}}},
		Timeline: &evidence.Timeline{Seconds: 2, Lives: []evidence.Life{{PID: 7, Name: "w"}}, Marks: []evidence.Mark{{At: 1.5, Kind: "returned"}}},
	}
	p := New(evidence.Run{Build: evidence.Build{OK: true}, Tests: []evidence.Test{dead, orphan}}, nil)
	require.Len(t, p.Tests[0].Pins, 1)
	require.Len(t, p.Tests[1].Pins, 1)
	assert.Equal(t, Pin{Code: "deadlock", At: 2.5, Exact: true}, Pin{Code: p.Tests[0].Pins[0].Code, At: p.Tests[0].Pins[0].At, Exact: p.Tests[0].Pins[0].Exact})
	assert.Equal(t, Pin{Code: "orphan", At: 1.5, Exact: true, PID: 7}, Pin{Code: p.Tests[1].Pins[0].Code, At: p.Tests[1].Pins[0].At, Exact: p.Tests[1].Pins[0].Exact, PID: p.Tests[1].Pins[0].PID})
	require.NotNil(t, p.Tests[0].Graph)
	assert.Equal(t, 1, p.Tests[0].Graph.Circle)
}

// Every kind that evidence knows has its place in the legend, and a letter of its own.
func TestKinds(t *testing.T) {
	letters := map[string]string{"-": "nobody looked", "|": "ended", "Z": "zombie", "=": "a lock"}
	var names []string
	for _, k := range Kinds {
		names = append(names, k.Name)
		assert.Empty(t, letters[k.Letter], "%s is drawn as %s is", k.Name, letters[k.Letter])
		letters[k.Letter] = k.Name
	}
	assert.Equal(t, evidence.DoingKinds, names)
}
