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
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	crawl "prokata/katas/10-crawl"
)

// ends waits until the program has died of a signal and every process that it
// had started has ended.
func ends(t *testing.T, s *site, r *running, stderr *os.File, sig syscall.Signal) {
	t.Helper()
	err := r.wait()
	require.Error(t, err, "the program ended in order, and not of %v", sig)
	assert.Equal(t, "signal: "+sig.String(), err.Error(), "the program ended in another way")
	said, err := io.ReadAll(stderr) // to the end: each child holds it open
	require.NoError(t, err, "the test could not read to the end")
	assert.NotContains(t, string(said), "panic", "a child did not end in peace")
	assert.Equal(t, 2, s.requests("/held/0")+s.requests("/held/1"), "the children went on alone")
}

func TestSecondInterruptEndsAtOnce(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	g := s.gate()
	stderr, w, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	defer stderr.Close()
	r := run(t, setup{Workers: 2, Limits: patient, URLs: s.held(6)}, w)
	w.Close()
	r.arrived(g, 2)
	require.NoError(t, harness.Signal(-r.pid, syscall.SIGINT), "the test could not send a signal: the process had ended too early")
	r.await(crawl.Stopping)
	require.NoError(t, harness.Signal(-r.pid, syscall.SIGINT), "the test could not send a signal: the process had ended too early")
	ends(t, s, r, stderr, syscall.SIGINT)
}

func TestKilledParentLeavesNothing(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	g := s.gate()
	stderr, w, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	defer stderr.Close()
	r := run(t, setup{Workers: 2, Limits: endless, URLs: s.held(6)}, w)
	w.Close()
	r.arrived(g, 2)
	require.NoError(t, syscall.Kill(r.pid, syscall.SIGKILL), "the test could not send a signal: the process had ended too early")
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
	require.NoError(t, err, "Crawl failed because a worker had died")
	page := result.Pages[deadly]
	assert.Equal(t, 200, page.Status, "the page of a killed worker was lost: %q", page.Err)
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
	require.NoError(t, err, "Crawl failed because a worker had died")
	page := result.Pages[deadly]
	assert.Contains(t, page.Err, "killed", "the dict did not say how the last worker had died")
	assert.Zero(t, page.Status, "a page without an answer had a status")
	assert.Equal(t, 3, page.Attempts, "Crawl counted the attempts at a page that killed every worker wrongly, with 2 retries")
	assert.Equal(t, 3, s.requests("/deadly"), "a page that killed every worker was asked for too often or too rarely, with 2 retries")
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
	require.NoError(t, syscall.Kill(r.manager, syscall.SIGKILL), "the test could not send a signal: the process had ended too early")
	// The pages stay where they are: nobody is to wait for them.
	o := <-crawled
	assert.ErrorIs(t, o.err, crawl.ErrManagerLost, "Crawl did not tell that its manager was killed in the middle")
	assert.Len(t, r.ended, 2, "not all workers were joined")
	for _, e := range r.ended {
		assert.ErrorIs(t, errno(e.PID), syscall.ESRCH, "worker %d outlived the crawl", e.PID)
	}
	assert.Empty(t, r.deaths(), "a worker was not let go in order")
	assert.Empty(t, g.here, "a page was begun after the manager's end")

	// The same where nobody has reached it yet.
	_, err := crawl.Crawl(t.Context(), crawl.Config{Workers: 2, Limits: limits, Progress: func(e crawl.Event) {
		if e.Kind == crawl.ManagerStarted && assert.NoError(t, syscall.Kill(e.PID, syscall.SIGKILL), "the test could not kill the manager: it was not there when Progress was told of it") {
			for errno(e.PID) == nil { // until it was waited for, as Manager.Done has to
				runtime.Gosched()
			}
		}
	}}, s.pages(2)...)
	assert.ErrorIs(t, err, crawl.ErrManagerLost, "Crawl did not tell that its manager was killed at the beginning")
}

func TestStartFailureEndsTheCrawl(t *testing.T) {
	harness.Test(t)
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	var err error
	for room := range 100 {
		// The kernel accepts connections for it, but nobody ever answers.
		silent, listening := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, listening, "the test could not listen")
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
		assert.NotErrorIs(t, err, crawl.ErrStopped, "Crawl said that it was stopped, but it could not start its processes")
		assert.Zero(t, done, "Crawl told of a page that it had given up, with room for %d files", room)
		left, listing := os.ReadDir(tmp)
		require.NoError(t, listing, "the test could not list a folder")
		assert.Empty(t, left, "Crawl could not start its processes, and left files: %v", err)
	}
	t.Fatalf("Crawl needed more than 100 files for two pages\nits error: %v", err)
}
