package browser

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/timeline"
)

var shots = flag.String("shots", "", "write a picture of each page into this `folder`")

// requireEnv, set to "required", makes a browser that is not there a failure.
const requireEnv = "PROKATA_CHROMIUM"

// open starts a browser, or skips the test where there is none. It ends with the test.
func open(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		require.NotEqual(t, "required", os.Getenv(requireEnv), "there is no browser: install chromium")
		t.Skip("not checked on this system: there is no Chromium (Debian: apt-get install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()))
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for its end
		stop()
	})
	require.NoError(t, chromedp.Do(ctx))
	return ctx
}

// A tab is one page in the browser, with all that it complained of or asked for.
type tab struct {
	ctx context.Context

	mu       sync.Mutex
	problems []string
	loaded   []string
}

// visit opens a page in a tab of its own.
func visit(t *testing.T, browser context.Context, p timeline.Page, width, height int64, scheme string) *tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	f, err := os.Create(file)
	require.NoError(t, err)
	require.NoError(t, p.HTML(f))
	require.NoError(t, f.Close())
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	n := &tab{ctx: ctx}
	note := func(list *[]string, format string, args ...any) {
		n.mu.Lock()
		defer n.mu.Unlock()
		*list = append(*list, fmt.Sprintf(format, args...))
	}
	require.NoError(t, chromedp.Listen(ctx, func(e any) {
		switch e := e.(type) {
		case *runtime.EventExceptionThrown:
			note(&n.problems, "exception: %v", e.ExceptionDetails)
		case *runtime.EventConsoleAPICalled:
			note(&n.problems, "console: %s", e.Type)
		case *log.EventEntryAdded:
			note(&n.problems, "log: %s: %s", e.Entry.Level, e.Entry.Text)
		case *page.EventJavascriptDialogOpening:
			note(&n.problems, "dialog: %s", e.Message)
		case *network.EventRequestWillBeSent:
			note(&n.loaded, "%s", e.Request.URL)
		}
	}))
	call(t, ctx, network.Enable, network.EnableParams{})
	call(t, ctx, log.Enable, cdp.Empty{})
	call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	phone := func(p *emulation.SetDeviceMetricsOverrideParams, _ *emulation.SetTouchEmulationEnabledParams) {
		p.Mobile = width < 500
	}
	require.NoError(t, chromedp.Do(ctx,
		chromedp.EmulateViewport(width, height, phone),
		chromedp.Navigate((&url.URL{Scheme: "file", Path: file}).String()),
		chromedp.WaitReady(chromedp.CSS("#lanes .life")),
	))
	return n
}

// call sends one command of the browser's protocol.
func call[P, R any](t *testing.T, ctx context.Context, command cdp.Command[P, R], params P) {
	t.Helper()
	_, err := chromedp.Call(ctx, command, params)
	require.NoError(t, err)
}

// ask evaluates an expression in the page.
func ask[T any](t *testing.T, n *tab, expression string) (v T) {
	t.Helper()
	v, err := chromedp.Run(n.ctx, chromedp.Evaluate[T](expression))
	require.NoError(t, err)
	return v
}

func (n *tab) count(t *testing.T, selector string) int {
	t.Helper()
	return ask[int](t, n, fmt.Sprintf("document.querySelectorAll(%q).length", selector))
}

func (n *tab) press(t *testing.T, key string) {
	t.Helper()
	require.NoError(t, chromedp.Do(n.ctx, chromedp.KeyEvent(key)))
}

// quiet fails if the page complained of anything, or asked for anything but itself.
func (n *tab) quiet(t *testing.T) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	assert.Empty(t, n.problems)
	assert.Len(t, n.loaded, 1, "the page, and nothing else: %v", n.loaded)
}

func load(t *testing.T, name string) timeline.Page {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "evidence", "timeline", name+".json"))
	require.NoError(t, err)
	var r evidence.Run
	require.NoError(t, json.Unmarshal(b, &r))
	return timeline.New(r, func(_ string, line int) string { return fmt.Sprintf("the text of line %d", line) })
}

// Each recorded run is drawn: a bar for each process, an arrow for each start, the
// findings pinned, the graph of a deadlock, nothing beside the window at any size.
func TestPages(t *testing.T) {
	browser := open(t)
	for _, row := range []struct {
		name         string
		pins, circle int
		sent         int // signals of the test
		exit         string
		locks        int
	}{
		{name: "pool", exit: "✕ killed"},
		{name: "orphan", pins: 1, exit: "✕ killed"},
		{name: "circle", pins: 1, circle: 5, locks: 5},
		{name: "interrupt", sent: 1, exit: "0"},
	} {
		for _, size := range []struct{ width, height int64 }{{1280, 900}, {390, 844}} {
			for _, scheme := range []string{"light", "dark"} {
				t.Run(fmt.Sprintf("%s-%d-%s", row.name, size.width, scheme), func(t *testing.T) {
					p := load(t, row.name)
					lanes := p.Tests[0].Lanes
					n := visit(t, browser, p, size.width, size.height, scheme)
					children, doings := 0, 0
					for _, l := range lanes {
						doings += len(l.Doings)
						if l.Parent >= 0 {
							children++
						}
					}
					assert.Equal(t, len(lanes), n.count(t, "#lanes .life"), "bars")
					assert.Equal(t, children, n.count(t, "#lanes .start"), "arrows")
					assert.Positive(t, doings)
					assert.Equal(t, doings, n.count(t, "#lanes .doing"), "what they were doing")
					assert.Equal(t, row.pins, n.count(t, "#lanes .pinned"), "findings in the picture")
					assert.Equal(t, row.pins, n.count(t, "#findings .finding"), "findings in words")
					assert.Equal(t, row.circle, n.count(t, "#graph .node.circle"), "the circle's processes")
					assert.Equal(t, row.circle, n.count(t, "#graph .edge.circle"), "the circle's waits")
					assert.Equal(t, row.locks, n.count(t, "#lanes .hold"), "locks that are held")
					assert.Equal(t, row.sent, n.count(t, "#lanes .signal.sent"), "signals of the test")
					if row.exit != "" {
						assert.Contains(t, ask[string](t, n, "[...document.querySelectorAll('#lanes .exit')].map(e => e.textContent).join(',')"), row.exit)
					}
					if row.circle > 0 {
						assert.Contains(t, ask[string](t, n, "document.querySelector('#graph').textContent"), "the text of line", "the graph names source lines")
					}
					wide := ask[[]int](t, n, "[document.scrollingElement.scrollWidth, innerWidth]")
					assert.LessOrEqual(t, wide[0], wide[1], "the page is wider than the window")
					assert.Equal(t, scheme == "dark", ask[bool](t, n, "matchMedia('(prefers-color-scheme: dark)').matches"))
					n.quiet(t)
					if *shots != "" {
						b, err := chromedp.Run(n.ctx, chromedp.CaptureScreenshot())
						require.NoError(t, err)
						require.NoError(t, os.WriteFile(filepath.Join(*shots, strings.ReplaceAll(filepath.Base(t.Name()), "/", "-")+".png"), b, 0o644))
					}
				})
			}
		}
	}
}

// The page is driven by keys alone: zoom, move, choose a process, go to a finding, find.
func TestKeys(t *testing.T) {
	n := visit(t, open(t), load(t, "circle"), 1280, 900, "light")
	view := func() []float64 { return ask[[]float64](t, n, "state.view") }
	all := view()
	n.press(t, "+")
	near := view()
	assert.Less(t, near[1]-near[0], all[1]-all[0], "+ shows less time")
	n.press(t, kb.ArrowRight)
	assert.Greater(t, view()[0], near[0], "the arrow moves")
	n.press(t, "0")
	assert.Equal(t, all, view())
	n.press(t, "j")
	n.press(t, "j")
	assert.Contains(t, ask[string](t, n, "document.querySelector('#chosen').textContent"), "philosopher")
	n.press(t, "n")
	assert.Equal(t, 0, ask[int](t, n, "state.pin"))
	assert.True(t, ask[bool](t, n, "document.activeElement.classList.contains('finding')"), "the finding has the focus")
	n.press(t, "/")
	assert.Equal(t, "search", ask[string](t, n, "document.activeElement.id"))
	ask[string](t, n, "document.activeElement.value = ''") // the key itself is not kept from the field here as a keyboard's is
	require.NoError(t, chromedp.Do(n.ctx, chromedp.SendKeys(chromedp.CSS("#search"), "philosopher")))
	assert.Equal(t, 1, n.count(t, "#lanes g.away"), "all but the philosophers are dimmed")
	n.press(t, kb.Enter)
	assert.GreaterOrEqual(t, ask[int](t, n, "state.lane"), 1, "Enter goes to who was found")
	n.quiet(t)
}

// What a program writes is shown, and never run.
func TestHostilePage(t *testing.T) {
	name := `</script><script>alert(1)</script><img src=x onerror=alert(1)>`
	r := evidence.Run{Kata: "01-spawn", Source: name, Tests: []evidence.Test{{
		Name: name, Status: evidence.Failed,
		Timeline: &evidence.Timeline{
			Seconds: 1, Lives: []evidence.Life{{PID: 1, Name: name}, {PID: 2, Parent: 1, Name: name, Exit: name, Ended: &evidence.Moment{At: 0.5}}},
			Doings: []evidence.Doing{{PID: 2, Kind: "lock", What: name, From: 0.1, To: 0.4}}, Holds: []evidence.Hold{{PID: 1, Lock: name, To: 0.5}},
			Marks: []evidence.Mark{{Kind: name, What: name, At: 0.2}},
		},
		Deadlock: &evidence.Deadlock{Waits: []evidence.Wait{{PID: 2, For: "lock", What: name, On: []int{1}, Line: &evidence.Frame{File: name, Line: 1}}}},
	}}}
	n := visit(t, open(t), timeline.New(r, func(string, int) string { return name }), 1280, 900, "light")
	n.press(t, "n")
	n.press(t, "j")
	assert.Contains(t, ask[string](t, n, "document.querySelector('#chosen').textContent"), name, "the name is shown as it is")
	assert.Zero(t, n.count(t, "img"))
	assert.Equal(t, 2, n.count(t, "script"))
	n.quiet(t)
}
