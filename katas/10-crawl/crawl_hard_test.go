package crawl_test

import (
	"context"
	"fmt"
	"net/http"
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

// broken adds the pages of which no good comes, and returns by path a part of
// the error that each must have; "" is any.
func (s *site) broken() map[string]string {
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
	return map[string]string{
		"/missing":  "404",
		"/circle/a": "redirect",
		"/endless":  "",
		"/never":    "",
		"/stuck":    "",
	}
}

func TestFetchLeavesNothingOfABadPage(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	for path, why := range s.broken() {
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

	s.mux.HandleFunc("/full", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, strings.Repeat("x", 100)) })
	for longest, failed := range map[int64]bool{99: true, 100: false, 101: false} {
		page := crawl.Fetch(context.Background(), s.URL+"/full", crawl.Limits{MaxBytes: longest, Timeout: limits.Timeout})
		assert.Equal(t, min(100, longest), page.Size, "the size of a page of 100 bytes with MaxBytes %d", longest)
		assert.Equal(t, failed, page.Err != "", "a page of 100 bytes with MaxBytes %d had the error %q", longest, page.Err)
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
	assert.Equal(t, crawl.Page{URL: s.URL + "/flaky", Status: 200, Size: 4, Attempts: 3}, page, "a page that came at the third attempt")
	page = crawl.Fetch(context.Background(), s.URL+"/down", lim)
	assert.Equal(t, 500, page.Status, "a page that never came")
	assert.Contains(t, page.Err, "500", "a page that never came")
	assert.Equal(t, 4, page.Attempts, "a page that never came, with 3 retries")
	assert.Equal(t, 4, s.requests("/down"), "Fetch asked more or less often than it said")
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
			require.FailNow(t, "Fetch returned before there was an answer", "%+v", page)
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
	assert.Empty(t, page.Err, "a good page with a context that is not of the standard library")
}

func TestBadPagesSpoilNoOther(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	bad := s.broken()
	good := s.pages(8)
	var urls []string
	for path := range bad {
		urls = append(urls, s.URL+path)
	}
	urls = append(urls, good...)
	lim := brief
	lim.MaxBytes = 1 << 20
	lim.Timeout = 2 * time.Second // the good ones are to make it on a busy machine too
	result, err := crawl.Crawl(t.Context(), crawl.Config{Workers: 3, Limits: lim}, urls...)
	require.NoError(t, err, "a bad page is no failure of the crawl")
	for path, why := range bad {
		page := result.Pages[s.URL+path]
		assert.NotEmpty(t, page.Err, "the dict had no error for %s", path)
		assert.Contains(t, page.Err, why, "the dict had another error for %s", path)
	}
	for _, u := range good {
		assert.Equal(t, 200, result.Pages[u].Status, "a good page had to suffer: %+v", result.Pages[u])
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
	require.NoError(t, o.err)
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
		assert.Equal(t, 200, o.Result.Pages[u].Status, "a page in flight was broken off: %+v", o.Result.Pages[u])
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
	require.NoError(t, syscall.Kill(r.pid, syscall.SIGINT))
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
	require.NoError(t, syscall.Kill(-r.pid, syscall.SIGINT))
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
	assert.ErrorIs(t, o.err, crawl.ErrStopped, "the crawl was stopped with ten pages left")
	assert.ErrorIs(t, o.err, context.Canceled, "the error did not say why the crawl stopped")
	assert.Len(t, o.result.Pages, 2, "the pages in flight did not come to their end")
	assert.Equal(t, s.pages(10), o.result.Left, "the pages that were left were not told, in their order")

	// A context that has ended before begins nothing.
	result, err := crawl.Crawl(ctx, crawl.Config{Workers: 2, Limits: limits}, s.pages(3)...)
	assert.ErrorIs(t, err, crawl.ErrStopped, "the crawl was stopped before it began")
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
	require.NoError(t, err)
	assert.Len(t, result.Pages, 400, "the dict did not have all pages")
	assert.ElementsMatch(t, urls, result.Log, "the list was not of all pages, each once")
	assert.Equal(t, 400, result.Hosts[s.Listener.Addr().String()].Pages, "the host's count was wrong")
}
