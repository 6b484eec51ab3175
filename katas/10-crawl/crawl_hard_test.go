package crawl_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	crawl "prokata/katas/10-crawl"
)

// A badPage is one of which no good comes. Its error contains why; "" is any.
type badPage struct{ path, why string }

// broken adds the bad pages.
func (s *site) broken() []badPage {
	s.mux.HandleFunc("/missing", http.NotFound)
	s.mux.HandleFunc("/circle/", func(w http.ResponseWriter, r *http.Request) {
		next := map[string]string{"/circle/a": "/circle/b", "/circle/b": "/circle/a"}[r.URL.Path]
		http.Redirect(w, r, next, http.StatusFound)
	})
	s.mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for b := make([]byte, 1<<16); ; {
			if _, err := w.Write(b); err != nil {
				return
			}
		}
	})
	s.mux.HandleFunc("/never", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-s.quit:
		}
	})
	s.mux.HandleFunc("/stuck", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "this page begins well")
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
		case <-s.quit:
		}
	})
	return []badPage{{"/missing", "404"}, {"/circle/a", ""}, {"/endless", ""}, {"/never", ""}, {"/stuck", ""}}
}

func TestFetchLeavesNothingOfABadPage(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	for _, bad := range s.broken() {
		path, why := bad.path, bad.why
		lim := patient
		if path == "/never" || path == "/stuck" {
			lim = brief // it is the time that ends these
		}
		lim.MaxBytes = 1 << 20
		lim.Retries = 3
		page := crawl.Fetch(context.Background(), s.URL+path, lim)
		assert.NotEmpty(t, page.Err, "Fetch of %s reported no error", path)
		assert.Contains(t, page.Err, why, "Fetch of %s reported another error", path)
		assert.LessOrEqual(t, page.Size, lim.MaxBytes, "Fetch of %s read more than MaxBytes", path)
		assert.Equal(t, 1, page.Attempts, "Fetch of %s tried again, but only a 5xx answer is worth it", path)
	}
	assert.Equal(t, 1, s.requests("/missing"), "a missing page was asked for again")
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	page := crawl.Fetch(context.Background(), closed.URL, crawl.Limits{Timeout: limits.Timeout, Retries: 3})
	assert.Equal(t, 1, page.Attempts, "Fetch tried again where there was no server, but only a 5xx answer is worth it")

	s.mux.HandleFunc("/full", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, strings.Repeat("x", 100)) })
	for _, longest := range []int64{99, 100, 101} {
		failed := longest < 100
		page := crawl.Fetch(context.Background(), s.URL+"/full", crawl.Limits{MaxBytes: longest, Timeout: limits.Timeout})
		assert.Equal(t, min(100, longest), page.Size, "Fetch gave a page of 100 bytes the wrong size, with MaxBytes %d", longest)
		assert.Equal(t, failed, page.Err != "", "Fetch told a failure where there was none, or none where there was one: a page of 100 bytes with MaxBytes %d had the error %q", longest, page.Err)
	}
}

func TestFetchTriesAgainAfterAServerError(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	s.mux.HandleFunc("/flaky", func(w http.ResponseWriter, r *http.Request) {
		if s.requests("/flaky") < 3 {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, "well")
	})
	s.mux.HandleFunc("/down", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "down", http.StatusInternalServerError)
	})
	lim := limits
	lim.Retries = 3
	page := crawl.Fetch(context.Background(), s.URL+"/flaky", lim)
	assert.Equal(t, crawl.Page{URL: s.URL + "/flaky", Status: 200, Size: 4, Attempts: 3}, page, "Fetch was wrong about a page that came at the third attempt")
	page = crawl.Fetch(context.Background(), s.URL+"/down", lim)
	assert.Equal(t, 500, page.Status, "Fetch gave the wrong status for a page that never came")
	assert.Contains(t, page.Err, "500", "Fetch did not tell the status of a page that never came")
	assert.Equal(t, 4, page.Attempts, "Fetch counted its attempts at a page that never came wrongly, with 3 retries")
	assert.Equal(t, 4, s.requests("/down"), "Fetch asked more or less often than it said")

	// Each pause is twice the one before. A slow machine only makes them longer.
	var asked []time.Time
	s.mux.HandleFunc("/pauses", func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, time.Now())
		http.Error(w, "down", http.StatusInternalServerError)
	})
	lim.Backoff = 20 * time.Millisecond
	crawl.Fetch(context.Background(), s.URL+"/pauses", lim)
	require.Len(t, asked, 4, "Fetch asked for a page that never came another number of times, with 3 retries and a pause before each")
	for i, pause := 1, lim.Backoff; i < len(asked); i, pause = i+1, 2*pause {
		assert.GreaterOrEqual(t, asked[i].Sub(asked[i-1]), pause, "Fetch did not pause long enough before retry %d", i)
	}
}

func TestFetchEndsWithItsContext(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	g := s.gate()
	s.mux.HandleFunc("/down", func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 503 Down\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndown")
		left := make(chan struct{})
		go func() {
			conn.Read(make([]byte, 1))
			close(left)
		}()
		select {
		case <-left: // the client has the answer, and is going to wait
			g.here <- r.URL.Path
		case <-s.quit:
		}
	})
	for _, path := range []string{"/held/0", "/down"} {
		ctx, cancel := context.WithCancel(t.Context())
		fetched := make(chan crawl.Page, 1)
		go func() {
			fetched <- crawl.Fetch(ctx, s.URL+path, crawl.Limits{Timeout: 5 * time.Second, Retries: 1, Backoff: 5 * time.Second})
		}()
		select {
		case <-g.here:
		case page := <-fetched:
			cancel()
			t.Fatalf("Fetch of %s gave up by itself, instead of waiting for the answer or for its next attempt\nstatus %d, attempts %d, Err %q", path, page.Status, page.Attempts, page.Err)
		}
		cancel()
		page := <-fetched
		assert.NotEmpty(t, page.Err, "Fetch of %s reported no error", path)
		assert.NotContains(t, page.Err, "deadline", "Fetch of %s went on to its time limit although its context had ended", path)
		assert.Equal(t, 1, s.requests(path), "Fetch of %s went on although its context had ended", path)
		assert.Equal(t, 1, page.Attempts, "Fetch of %s tried again although its context had ended", path)
	}

	// A context of another kind costs a goroutine until the request has ended.
	page := crawl.Fetch(harness.OtherContext(), s.pages(1)[0], limits)
	assert.Empty(t, page.Err, "Fetch of a good page failed with a context that is not of the standard library")
}

func TestBadPagesSpoilNoOther(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	bad := s.broken()
	good := s.pages(8)
	var urls []string
	for _, b := range bad {
		urls = append(urls, s.URL+b.path)
	}
	urls = append(urls, good...)
	lim := brief
	lim.MaxBytes = 1 << 20
	lim.Timeout = 2 * time.Second // the good ones are to make it on a busy machine too
	result, err := crawl.Crawl(t.Context(), crawl.Config{Workers: 3, Limits: lim}, urls...)
	require.NoError(t, err, "Crawl failed because of a bad page")
	for _, b := range bad {
		page := result.Pages[s.URL+b.path]
		assert.NotEmpty(t, page.Err, "the dict had no error for %s", b.path)
		assert.Contains(t, page.Err, b.why, "the dict had another error for %s", b.path)
	}
	for _, u := range good {
		assert.Equal(t, 200, result.Pages[u].Status, "a good page had to suffer: %q", result.Pages[u].Err)
	}
	assert.ElementsMatch(t, urls, result.Log, "the list was not of all pages, each once")
	host := result.Hosts[s.Listener.Addr().String()]
	assert.Equal(t, len(urls), host.Pages, "the host had another number of pages")
	assert.Equal(t, len(bad), host.Failed, "the host had another number of failed pages")
}

func TestSlowPageHoldsUpNoOther(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	g := s.gate()
	others := s.pages(10)
	done, events := watch(crawl.PageDone)
	crawled := s.start(t.Context(), crawl.Config{
		Workers: 2, Limits: patient, Progress: done,
	}, slices.Concat(s.held(1), others)...)
	for range others {
		e := either(t, events, crawled, "the other pages were done")
		require.Contains(t, others, e.Page.URL, "a slow page held up the others until it was given up")
	}
	close(g.open)
	o := <-crawled
	require.NoError(t, o.err, "Crawl failed")
	assert.Equal(t, 200, o.result.Pages[s.URL+"/held/0"].Status, "the slow page did not come to its end")
}

// interrupted checks what a program has printed that was stopped while two of
// its twelve pages were in flight.
func interrupted(t *testing.T, s *site, r *running) {
	t.Helper()
	o := r.outcome()
	assert.True(t, o.Stopped, "the error was not ErrStopped: %q", o.Err)
	assert.ElementsMatch(t, s.held(2), o.Result.Log, "the pages in flight did not come to their end")
	for _, u := range s.held(2) {
		assert.Equal(t, 200, o.Result.Pages[u].Status, "a page in flight was broken off: %q", o.Result.Pages[u].Err)
	}
	assert.Equal(t, s.pages(10), o.Result.Left, "the pages that were left were not told, in their order")
	for i := range 10 {
		assert.Zero(t, s.requests(fmt.Sprintf("/ok/%d", i)), "page %d was begun after the interrupt", i)
	}
	workers, last := r.ended()
	assert.Len(t, workers, 2, "not all workers were joined")
	assert.True(t, last, "the manager was not the last to end")
}

func TestInterruptLetsPagesInFlightEnd(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	g := s.gate()
	r := run(t, setup{Workers: 2, Limits: patient, URLs: slices.Concat(s.held(2), s.pages(10))}, os.Stderr)
	r.arrived(g, 2)
	require.NoError(t, harness.Signal(r.pid, syscall.SIGINT), "the test could not send a signal: the process had ended too early")
	r.await(crawl.Stopping)
	close(g.open)
	interrupted(t, s, r)
}

func TestInterruptFromTheTerminal(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	g := s.gate()
	r := run(t, setup{Workers: 2, Limits: patient, URLs: slices.Concat(s.held(2), s.pages(10))}, os.Stderr)
	r.arrived(g, 2)
	// Ctrl-C goes to every process of the foreground process group.
	require.NoError(t, harness.Signal(-r.pid, syscall.SIGINT), "the test could not send a signal: the process had ended too early")
	r.await(crawl.Stopping)
	close(g.open)
	interrupted(t, s, r)
}

func TestEndOfContextStopsTheCrawl(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	g := s.gate()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stopping, events := watch(crawl.Stopping)
	crawled := s.start(ctx, crawl.Config{Workers: 2, Limits: patient, Progress: stopping}, slices.Concat(s.held(2), s.pages(10))...)
	for range 2 {
		either(t, g.here, crawled, "two pages were in flight")
	}
	cancel()
	either(t, events, crawled, "it told that it was stopping")
	close(g.open)
	o := <-crawled
	assert.ErrorIs(t, o.err, crawl.ErrStopped, "Crawl did not tell that it was stopped with ten pages left")
	assert.ErrorIs(t, o.err, context.Canceled, "the error did not say why the crawl stopped")
	assert.Len(t, o.result.Pages, 2, "the pages in flight did not come to their end")
	assert.Equal(t, s.pages(10), o.result.Left, "the pages that were left were not told, in their order")

	// A context that has ended before begins nothing.
	result, err := crawl.Crawl(ctx, crawl.Config{Workers: 2, Limits: limits}, s.pages(3)...)
	assert.ErrorIs(t, err, crawl.ErrStopped, "Crawl did not tell that it was stopped before it began")
	assert.Equal(t, s.pages(3), result.Left, "the pages that were left were not told")
	assert.Zero(t, s.requests("/ok/0"), "a page was begun although the context had ended")

	// With every page done there is nothing to complain of.
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	_, err = crawl.Crawl(ctx, crawl.Config{Workers: 1, Limits: limits, Progress: func(e crawl.Event) {
		if e.Kind == crawl.PageDone {
			cancel()
		}
	}}, s.pages(1)...)
	assert.NoError(t, err, "Crawl said it was stopped, but every page was done")
}

func TestManyPages(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	urls := s.pages(400)
	result, err := crawl.Crawl(t.Context(), crawl.Config{Workers: 8, Limits: limits}, urls...)
	require.NoError(t, err, "Crawl failed")
	assert.Len(t, result.Pages, 400, "the dict did not have all pages")
	assert.ElementsMatch(t, urls, result.Log, "the list was not of all pages, each once")
	assert.Equal(t, 400, result.Hosts[s.Listener.Addr().String()].Pages, "the host's count was wrong")
}
