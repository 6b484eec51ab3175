package crawl_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
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
	page := crawl.Fetch(other{context.Background(), make(chan struct{})}, s.pages(1)[0], limits)
	assert.Empty(t, page.Err, "a good page with a context that is not of the standard library")
}

// other is a context whose end the standard library can only wait for.
type other struct {
	context.Context
	done chan struct{}
}

func (o other) Done() <-chan struct{} { return o.done }

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

// ends waits until the program has died of a signal and every process that it
// had started has ended.
func ends(t *testing.T, s *site, r *running, stderr *os.File, sig syscall.Signal) {
	t.Helper()
	err := r.wait()
	require.Error(t, err)
	assert.Equal(t, "signal: "+sig.String(), err.Error(), "the program ended in another way")
	said, err := io.ReadAll(stderr) // to the end: each child holds it open
	require.NoError(t, err)
	assert.NotContains(t, string(said), "panic", "a child did not end in peace")
	assert.Equal(t, 2, s.requests("/held/0")+s.requests("/held/1"), "the children went on alone")
}

func TestSecondInterruptEndsAtOnce(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	g := s.gate()
	stderr, w, err := os.Pipe()
	require.NoError(t, err)
	defer stderr.Close()
	r := run(t, setup{Workers: 2, Limits: patient, URLs: s.held(6)}, w)
	w.Close()
	r.arrived(g, 2)
	require.NoError(t, syscall.Kill(-r.pid, syscall.SIGINT))
	r.await(crawl.Stopping)
	require.NoError(t, syscall.Kill(-r.pid, syscall.SIGINT))
	ends(t, s, r, stderr, syscall.SIGINT)
}

func TestKilledParentLeavesNothing(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	g := s.gate()
	stderr, w, err := os.Pipe()
	require.NoError(t, err)
	defer stderr.Close()
	r := run(t, setup{Workers: 2, Limits: endless, URLs: s.held(6)}, w)
	w.Close()
	r.arrived(g, 2)
	require.NoError(t, syscall.Kill(r.pid, syscall.SIGKILL))
	ends(t, s, r, stderr, syscall.SIGKILL)
}

// A register remembers which worker has begun which page.
type register struct {
	mu      sync.Mutex
	workers map[string]int // by URL
	ended   []crawl.Event
	manager int
}

func (r *register) progress(e crawl.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e.Kind {
	case crawl.PageBegun:
		if r.workers == nil {
			r.workers = make(map[string]int)
		}
		r.workers[e.Page.URL] = e.PID
	case crawl.WorkerEnded:
		r.ended = append(r.ended, e)
	case crawl.ManagerStarted:
		r.manager = e.PID
	}
}

// kill kills the worker that fetches a page, if it is a process of its own.
func (r *register) kill(url string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	pid := r.workers[url]
	return pid > 1 && pid != os.Getpid() && syscall.Kill(pid, syscall.SIGKILL) == nil
}

// deaths returns the workers that did not end in order.
func (r *register) deaths() (pids []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.ended {
		if e.Err != nil {
			pids = append(pids, e.PID)
		}
	}
	return pids
}

// deadly adds a page that kills its worker the first n times.
func (s *site) deadly(n int, r *register) (url string) {
	url = s.URL + "/deadly"
	s.mux.HandleFunc("/deadly", func(w http.ResponseWriter, q *http.Request) {
		if s.requests("/deadly") > n {
			fmt.Fprint(w, "it lives")
			return
		}
		if !r.kill(url) {
			http.Error(w, "no worker process has begun this page", http.StatusBadRequest)
			return
		}
		select {
		case <-q.Context().Done():
		case <-s.quit:
		}
	})
	return url
}

func TestPageOfAKilledWorkerIsFetchedByAnother(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	var r register
	deadly, good := s.deadly(1, &r), s.pages(10)
	lim := limits
	lim.Retries = 1
	result, err := crawl.Crawl(t.Context(), crawl.Config{Workers: 2, Limits: lim, Progress: r.progress}, slices.Concat(good[:5], []string{deadly}, good[5:])...)
	require.NoError(t, err, "the death of a worker is no failure of the crawl")
	page := result.Pages[deadly]
	assert.Equal(t, 200, page.Status, "the page of a killed worker was lost: %+v", page)
	assert.Equal(t, 2, s.requests("/deadly"), "the page of a killed worker was not asked for by one other")
	dead := r.deaths()
	require.Len(t, dead, 1, "Progress was not told that one worker had died")
	assert.NotContains(t, dead, page.Worker, "a dead worker was said to have fetched the page")
	assert.ErrorIs(t, errno(dead[0]), syscall.ESRCH, "nobody waited for the killed worker")
	for i, u := range good {
		assert.Equal(t, 200, result.Pages[u].Status, "the death of a worker spoiled another page")
		assert.Equal(t, 1, s.requests(fmt.Sprintf("/ok/%d", i)), "the death of a worker repeated another page")
	}
	assert.Len(t, result.Log, 11, "the list was not of all pages, each once")
}

func TestPageThatKillsEveryWorkerIsRecorded(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	var r register
	deadly, good := s.deadly(40, &r), s.pages(4)
	lim := limits
	lim.Retries = 2
	result, err := crawl.Crawl(t.Context(), crawl.Config{Workers: 2, Limits: lim, Progress: r.progress}, append([]string{deadly}, good...)...)
	require.NoError(t, err, "the death of a worker is no failure of the crawl")
	page := result.Pages[deadly]
	assert.Contains(t, page.Err, "killed", "the dict did not say how the worker had died: %+v", page)
	assert.Zero(t, page.Status, "a page without an answer had a status")
	assert.Equal(t, 3, page.Attempts, "the attempts of a page that killed every worker, with 2 retries")
	assert.Equal(t, 3, s.requests("/deadly"), "the requests of a page that killed every worker, with 2 retries")
	assert.Len(t, r.deaths(), 3, "Progress was not told of each worker that died")
	assert.Contains(t, result.Log, deadly, "the list lacked the page that killed its workers")
	assert.Equal(t, 1, result.Hosts[s.Listener.Addr().String()].Failed, "the host's count lacked the page that killed its workers")
	for _, u := range good {
		assert.Equal(t, 200, result.Pages[u].Status, "the other seat did not go on")
	}
}

func TestKilledManagerEndsTheCrawl(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	g := s.gate()
	var r register
	done, events := watch(crawl.PageDone)
	crawled := s.start(t.Context(), crawl.Config{Workers: 2, Limits: endless, Progress: func(e crawl.Event) {
		r.progress(e)
		done(e)
	}}, append(s.pages(2), s.held(6)...)...)
	for range 2 {
		either(t, events, crawled, "two pages were done, with the manager's help")
	}
	for range 2 {
		either(t, g.here, crawled, "two pages were in flight")
	}
	require.NotZero(t, r.manager, "Crawl did not tell of its manager")
	require.NotEqual(t, os.Getpid(), r.manager, "the manager was no process of its own")
	require.NoError(t, syscall.Kill(r.manager, syscall.SIGKILL))
	// The pages stay where they are: nobody is to wait for them.
	o := <-crawled
	assert.ErrorIs(t, o.err, crawl.ErrManagerLost, "the manager was killed in the middle")
	assert.Len(t, r.ended, 2, "not all workers were joined")
	for _, e := range r.ended {
		assert.ErrorIs(t, errno(e.PID), syscall.ESRCH, "worker %d outlived the crawl", e.PID)
	}
	assert.Empty(t, r.deaths(), "a worker was not let go in order")
	assert.Empty(t, g.here, "a page was begun after the manager's end")

	// The same where nobody has reached it yet.
	_, err := crawl.Crawl(t.Context(), crawl.Config{Workers: 2, Limits: limits, Progress: func(e crawl.Event) {
		if e.Kind == crawl.ManagerStarted && assert.NoError(t, syscall.Kill(e.PID, syscall.SIGKILL)) {
			for errno(e.PID) == nil { // until it was waited for, as Manager.Done has to
				runtime.Gosched()
			}
		}
	}}, s.pages(2)...)
	assert.ErrorIs(t, err, crawl.ErrManagerLost, "the manager was killed at the beginning")
}

func TestStartFailureEndsTheCrawl(t *testing.T) {
	harness.Test(t)
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	var err error
	for room := range 100 {
		// The kernel accepts connections for it, but nobody ever answers.
		silent, listening := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, listening)
		url := "http://" + silent.Addr().String()
		var begun, done, alive int
		harness.WithFiles(t, room, func() {
			_, err = crawl.Crawl(context.Background(), crawl.Config{Workers: 2, Limits: endless, Progress: func(e crawl.Event) {
				switch e.Kind {
				case crawl.ManagerStarted, crawl.WorkerStarted:
					alive++
				case crawl.ManagerEnded, crawl.WorkerEnded:
					alive--
				case crawl.PageDone:
					done++
				case crawl.PageBegun:
					if begun++; begun == 2 { // all have been started: they may end
						silent.Close()
					}
				}
			}}, url+"/1", url+"/2")
		})
		silent.Close()
		assert.Zero(t, alive, "Crawl returned without a word of the end of all processes, with room for %d files", room)
		if begun == 2 {
			return
		}
		require.Error(t, err, "Crawl could not start its processes, and did not say so, with room for %d files", room)
		assert.NotErrorIs(t, err, crawl.ErrStopped, "nobody had interrupted the crawl")
		assert.Zero(t, done, "Crawl told of a page that it had given up, with room for %d files", room)
		left, listing := os.ReadDir(tmp)
		require.NoError(t, listing)
		assert.Empty(t, left, "Crawl could not start its processes, and left files: %v", err)
	}
	require.Fail(t, "a crawl of two pages needed more than 100 files", "its error was: %v", err)
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
