package crawl_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	crawl "prokata/katas/10-crawl"
)

func TestFetchTellsWhatBecameOfAPage(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	body := strings.Repeat("x", 1000)
	s.mux.HandleFunc("/good", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, body) })
	s.mux.HandleFunc("/empty", func(w http.ResponseWriter, r *http.Request) {})
	s.mux.HandleFunc("/nothing", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	s.mux.HandleFunc("/long", func(w http.ResponseWriter, r *http.Request) {
		more, _ := strconv.Atoi(r.FormValue("more"))
		w.Write(make([]byte, 8<<20+more))
	})
	s.mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/good", http.StatusFound) })
	s.mux.HandleFunc("/refused", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadRequest) })
	s.mux.HandleFunc("/missing", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, body)
	})
	s.mux.HandleFunc("/broken", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, body)
	})
	s.mux.HandleFunc("/torn", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000") // and half of it comes
		fmt.Fprint(w, body[:500])
	})
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()

	for _, row := range []struct {
		name   string
		url    string
		status int
		size   int64
		failed bool
	}{
		{"a page", s.URL + "/good", 200, 1000, false},
		{"an empty page", s.URL + "/empty", 200, 0, false},
		{"no content", s.URL + "/nothing", 204, 0, false},
		{"a redirect to a page", s.URL + "/moved", 200, 1000, false},
		{"a request that is refused", s.URL + "/refused", 400, 0, true},
		{"a missing page with a text", s.URL + "/missing", 404, 1000, true},
		{"a server that fails", s.URL + "/broken", 500, 1000, true},
		{"an answer cut short", s.URL + "/torn", 200, 500, true},
		{"a server that is not there", closed.URL, 0, 0, true},
		{"no URL at all", "http://[::1", 0, 0, true},
		{"a scheme of another kind", "gopher://localhost/", 0, 0, true},
	} {
		// No context that ends with the test: it would tidy up for Fetch.
		page := crawl.Fetch(context.Background(), row.url, limits)
		assert.Equal(t, row.url, page.URL, "%s: Fetch gave the page another URL", row.name)
		assert.Equal(t, row.status, page.Status, "%s: Fetch gave the wrong status", row.name)
		assert.Equal(t, row.size, page.Size, "%s: Fetch gave the wrong size", row.name)
		assert.Equal(t, 1, page.Attempts, "%s: Fetch counted its attempts wrongly", row.name)
		assert.Equal(t, row.failed, page.Err != "", "%s: Fetch told a failure where there was none, or none where there was one: Err was %q", row.name, page.Err)
	}
	page := crawl.Fetch(context.Background(), s.URL+"/good", crawl.Limits{})
	assert.Empty(t, page.Err, "Fetch of a good page failed when no limit was set")
	assert.Zero(t, page.Worker, "Fetch, which is called by a worker or by anybody else, gave the page a worker")
	// Without a limit of its own, a body may have 8 MiB.
	for _, more := range []int64{0, 1} {
		page := crawl.Fetch(context.Background(), fmt.Sprintf("%s/long?more=%d", s.URL, more), crawl.Limits{})
		assert.Equal(t, more > 0, page.Err != "", "Fetch took %d bytes more than 8 MiB wrongly, when MaxBytes was 0: Err was %q", more, page.Err)
		assert.EqualValues(t, 8<<20, page.Size, "Fetch gave the wrong size for %d bytes more than 8 MiB, when MaxBytes was 0", more)
	}
}

func TestFetchesEveryPageOnce(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	urls := s.pages(20)
	// Each is listed three times: in a row, and once more behind all others.
	var listed []string
	for _, u := range urls {
		listed = append(listed, u, u)
	}
	listed = append(listed, urls...)

	// No context that ends with the test: it would tidy up for Crawl.
	result, err := crawl.Crawl(context.Background(), crawl.Config{Workers: 3, Limits: limits}, listed...)
	require.NoError(t, err, "Crawl failed")

	want := make(map[string]crawl.Page)
	for i, u := range urls {
		path := fmt.Sprintf("/ok/%d", i)
		assert.Equal(t, 1, s.requests(path), "the crawl asked for %s more or less than once", path)
		want[u] = crawl.Page{URL: u, Status: 200, Size: int64(len(path)), Attempts: 1}
	}
	for u, p := range result.Pages {
		assert.NotEqual(t, os.Getpid(), p.Worker, "the page %s was fetched by the parent", u)
		p.Worker = 0
		result.Pages[u] = p
	}
	if d := cmp.Diff(want, result.Pages); d != "" {
		t.Errorf("the dict of pages was wrong (-want +got):\n%s", d)
	}
	assert.Empty(t, result.Left, "Crawl said that pages were left, but it was not stopped")
}

func TestWorkersOverlapAndAreAtMostN(t *testing.T) {
	harness.Test(t)
	for _, n := range []int{1, 2, 4} {
		s := newSite(t)
		here, leave, late := make(chan string), make(chan bool), make(chan string, 100)
		s.mux.HandleFunc("/held/", func(w http.ResponseWriter, r *http.Request) {
			select {
			case here <- r.URL.Path:
			case <-s.quit:
				return
			}
			select {
			case <-leave:
			case <-r.Context().Done(): // the worker's patience is at its end
				late <- r.URL.Path
			case <-s.quit:
			}
		})
		urls := s.held(3*n + 1)
		crawled := s.start(t.Context(), crawl.Config{Workers: n, Limits: patient}, urls...)
		// One page may leave whenever n are there: so n workers are at work
		// together, again and again.
		held := 0
		for left := len(urls); left > 0; left-- {
			for held < min(n, left) {
				select {
				case <-here:
					held++
				case path := <-late:
					t.Fatalf("%d workers never had more than %d pages in flight\n%s waited in vain for another", n, held, path)
				case o := <-crawled:
					require.NoError(t, o.err, "Crawl failed")
					t.Fatalf("Crawl returned before %d pages were in flight together", n)
				}
			}
			leave <- true
			held--
		}
		o := <-crawled
		require.NoError(t, o.err, "Crawl failed")
		assert.Equal(t, n, s.atOnce(), "with %d workers, the server saw another number of requests at one time", n)
		workers := make(map[int]bool)
		for _, p := range o.result.Pages {
			workers[p.Worker] = true
		}
		assert.Len(t, workers, n, "with %d workers, another number of processes fetched pages", n)
	}
}

func TestCountsPagesByHost(t *testing.T) {
	harness.Test(t)
	// All workers get their answers at the same moment, and so count them at the
	// same time: a count that is read, changed and written back loses some.
	const n = 4
	one, two := newSite(t), newSite(t)
	meeting := newMeeting(n)
	for _, s := range []*site{one, two} {
		s.mux.HandleFunc("/meet/", func(w http.ResponseWriter, r *http.Request) {
			meeting.join(r.Context())
			w.WriteHeader(map[bool]int{true: 404, false: 200}[strings.HasSuffix(r.URL.Path, "bad")])
			fmt.Fprint(w, "0123456789")
		})
	}
	var urls []string
	for i := range 20 {
		urls = append(urls, fmt.Sprintf("%s/meet/%d", one.URL, i), fmt.Sprintf("%s/meet/%d", two.URL, i),
			fmt.Sprintf("%s/meet/%d/bad", one.URL, i), fmt.Sprintf("%s/meet/%d/more", one.URL, i))
	}
	result, err := crawl.Crawl(t.Context(), crawl.Config{Workers: n, Limits: patient}, urls...)
	require.NoError(t, err, "Crawl failed")
	want := map[string]crawl.Host{
		one.Listener.Addr().String(): {Pages: 60, Failed: 20, Bytes: 600},
		two.Listener.Addr().String(): {Pages: 20, Failed: 0, Bytes: 200},
	}
	if d := cmp.Diff(want, result.Hosts); d != "" {
		t.Errorf("the dict of hosts was wrong, although all %d pages are done (-want +got):\n%s", len(result.Pages), d)
	}
}

// A meeting lets its members go in rounds of n, until a round fails.
type meeting struct {
	mu     sync.Mutex
	n      int
	came   int
	round  chan struct{}
	failed bool
}

func newMeeting(n int) *meeting { return &meeting{n: n, round: make(chan struct{})} }

func (m *meeting) join(ctx context.Context) {
	m.mu.Lock()
	round := m.round
	if m.came++; m.came == m.n || m.failed {
		close(round)
		m.came, m.round = 0, make(chan struct{})
	}
	m.mu.Unlock()
	select {
	case <-round:
	case <-ctx.Done(): // the others have not come: nobody waits for them again
		m.mu.Lock()
		defer m.mu.Unlock()
		m.failed = true
	}
}

func TestLogsPagesInTheOrderOfTheirEnd(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	begun, open := make(chan struct{}), make(chan struct{})
	s.mux.HandleFunc("/first", func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		wait(r, s, open)
	})
	s.mux.HandleFunc("/after/", func(w http.ResponseWriter, r *http.Request) { wait(r, s, begun) })
	first := s.URL + "/first"
	var others []string
	for i := range 5 {
		others = append(others, fmt.Sprintf("%s/after/%d", s.URL, i))
	}
	done, events := watch(crawl.PageDone)
	crawled := s.start(t.Context(), crawl.Config{Workers: 2, Limits: patient, Progress: done}, append([]string{first}, others...)...)
	// The first page is begun before any other ends, and ends after all of them.
	var order []string
	for range others {
		order = append(order, either(t, events, crawled, "it told of every page").Page.URL)
	}
	close(open)
	o := <-crawled
	require.NoError(t, o.err, "Crawl failed")
	assert.Equal(t, append(order, first), o.result.Log, "the list was not in the order in which the pages were done")
	assert.Equal(t, others, order, "one worker did the pages in another order than they were given")
}

// wait holds a request until c is closed, its client has gone or the test ends.
func wait(r *http.Request, s *site, c <-chan struct{}) {
	select {
	case <-c:
	case <-r.Context().Done():
	case <-s.quit:
	}
}

func TestJoinsTheWorkersThenTheManager(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	var manager int
	var order []crawl.Kind
	workers := make(map[int]bool) // false: has ended
	_, err := crawl.Crawl(t.Context(), crawl.Config{Workers: 3, Limits: limits, Progress: func(e crawl.Event) {
		switch e.Kind {
		case crawl.ManagerStarted:
			manager = e.PID
		case crawl.WorkerStarted:
			workers[e.PID] = true
			return
		case crawl.WorkerEnded:
			workers[e.PID] = false
			assert.ErrorIs(t, errno(e.PID), syscall.ESRCH, "worker %d was said to have ended, but nobody had waited for it", e.PID)
			assert.NoError(t, errno(manager), "the manager had ended before worker %d", e.PID)
		case crawl.ManagerEnded:
			assert.ErrorIs(t, errno(e.PID), syscall.ESRCH, "the manager was said to have ended, but nobody had waited for it")
		default:
			return
		}
		order = append(order, e.Kind)
	}}, s.pages(12)...)
	require.NoError(t, err, "Crawl failed")

	require.NotZero(t, manager, "Crawl did not tell that it started a manager")
	assert.NotContains(t, workers, manager, "the manager was a worker as well")
	for pid, runs := range workers {
		assert.False(t, runs, "Crawl returned without a word of the end of worker %d", pid)
	}
	want := slices.Concat([]crawl.Kind{crawl.ManagerStarted}, slices.Repeat([]crawl.Kind{crawl.WorkerEnded}, len(workers)), []crawl.Kind{crawl.ManagerEnded})
	assert.Equal(t, want, order, "the manager was not the last to end")
}

func TestReportsProgress(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	urls := s.pages(25)
	var begun []string
	var done []crawl.Event
	var all []crawl.Event
	result, err := crawl.Crawl(t.Context(), crawl.Config{Workers: 3, Limits: limits, Progress: func(e crawl.Event) {
		// No lock here: Crawl has promised that the calls are one at a time.
		all = append(all, e)
		switch e.Kind {
		case crawl.PageBegun:
			begun = append(begun, e.Page.URL)
			assert.Equal(t, crawl.Page{URL: e.Page.URL}, e.Page, "Progress was told more than the URL of a page that was about to begin")
			assert.Zero(t, s.requests(strings.TrimPrefix(e.Page.URL, s.URL)), "the worker had asked for a page before Progress was told that it was about to")
		case crawl.PageDone:
			done = append(done, e)
		}
	}}, append(urls, urls[0])...)
	require.NoError(t, err, "Crawl failed")
	assert.ElementsMatch(t, urls, begun, "Progress was not told of the begin of every page, once")
	require.Len(t, done, len(urls), "Progress was not told of the end of every page, once")
	sofar := 0
	for _, e := range all {
		if e.Kind == crawl.PageDone {
			sofar++
		}
		assert.Equal(t, sofar, e.Done, "Progress was told of a wrong number of pages done, at %q", e.Kind)
		assert.Equal(t, len(urls), e.Total, "Progress was told of a wrong number of pages in all, at %q", e.Kind)
	}
	for _, e := range done {
		assert.Equal(t, e.Page.Worker, e.PID, "Progress was told of another process than the one that fetched the page")
		assert.Equal(t, result.Pages[e.Page.URL], e.Page, "Progress was told something else than the dict")
	}
}

func TestRefusesLessThanOneWorker(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	_, err := crawl.Crawl(t.Context(), crawl.Config{Workers: 1, Limits: limits}, s.pages(1)...)
	require.NoError(t, err, "Crawl failed")
	for _, n := range []int{0, -1} {
		began := false
		_, err := crawl.Crawl(t.Context(), crawl.Config{
			Workers: n, Limits: limits, Progress: func(crawl.Event) { began = true },
		}, s.pages(2)...)
		assert.Error(t, err, "Crawl accepted %d workers", n)
		assert.False(t, began, "Crawl began, with %d workers", n)
	}
	assert.Zero(t, s.requests("/ok/1"), "Crawl fetched pages without a worker")
}

func TestStartsNoMoreWorkersThanPages(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	for _, pages := range []int{0, 1} {
		started, events := watch(crawl.WorkerStarted)
		result, err := crawl.Crawl(t.Context(), crawl.Config{Workers: 3, Limits: limits, Progress: started}, s.pages(pages)...)
		require.NoError(t, err, "Crawl failed")
		assert.Len(t, result.Pages, pages, "the dict had another number of pages")
		assert.Len(t, events, pages, "Crawl started workers that had nothing to do")
	}
}
