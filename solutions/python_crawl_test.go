package solutions_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	crawl "prokata/solutions/10-crawl"
)

// crawlInGo is testdata/python/10_crawl.py with the solution of kata 10.
func crawlInGo(t *testing.T) any {
	s := newPythonSite()
	defer s.Close()
	limits := crawl.Limits{Timeout: 10 * time.Second, Retries: 3}

	urls := s.urls("/meet/0", "/meet/1", "/meet/2", "/page/0", "/page/1", "/page/2", "/missing", "/flaky")
	all, err := crawl.Crawl(t.Context(), crawl.Config{Workers: 3, Limits: limits}, slices.Concat(urls, urls)...)
	require.NoError(t, err)
	pages := make(map[string][3]int64)
	for u, p := range all.Pages {
		pages[s.path(u)] = [3]int64{int64(p.Status), p.Size, int64(p.Attempts)}
	}
	host := all.Hosts[s.Listener.Addr().String()]

	go func() {
		<-s.held
		<-s.held
		assert.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGINT))
	}()
	some, err := crawl.Crawl(t.Context(), crawl.Config{Workers: 2, Limits: limits, Progress: func(e crawl.Event) {
		if e.Kind == crawl.Stopping {
			close(s.gate)
		}
	}}, s.urls("/held/0", "/held/1", "/page/0", "/page/1", "/page/2")...)
	require.True(t, errors.Is(err, crawl.ErrStopped), "the second crawl was not interrupted: %v", err)
	var done, left []string
	for u := range some.Pages {
		done = append(done, s.path(u))
	}
	for _, u := range some.Left {
		left = append(left, s.path(u))
	}
	slices.Sort(done)

	return map[string]any{
		"pages":       pages,
		"host":        map[string]any{"pages": host.Pages, "failed": host.Failed, "bytes": host.Bytes},
		"logged":      len(all.Log),
		"at_once":     s.atOnce(),
		"interrupted": map[string]any{"done": done, "left": left},
	}
}

// A pythonSite serves what the server of the Python program serves.
type pythonSite struct {
	*httptest.Server
	held chan bool     // a value for each page that is held
	gate chan struct{} // close it to let them go

	mu               sync.Mutex
	flaky, now, most int
}

func newPythonSite() *pythonSite {
	s := &pythonSite{held: make(chan bool, 2), gate: make(chan struct{})}
	var meeting sync.WaitGroup
	meeting.Add(3)
	mux := http.NewServeMux()
	mux.HandleFunc("/page/{n}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "page", r.PathValue("n")) })
	mux.HandleFunc("/meet/{n}", func(w http.ResponseWriter, r *http.Request) {
		meeting.Done()
		meeting.Wait()
		fmt.Fprintln(w, "met")
	})
	mux.HandleFunc("/held/{n}", func(w http.ResponseWriter, r *http.Request) {
		s.held <- true
		<-s.gate
		fmt.Fprintln(w, "held")
	})
	mux.HandleFunc("/missing", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintln(w, "missing")
	})
	mux.HandleFunc("/flaky", func(w http.ResponseWriter, r *http.Request) {
		if s.enter(&s.flaky) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "well")
	})
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.enter(&s.now)
		defer s.leave()
		mux.ServeHTTP(w, r)
	}))
	return s
}

// enter adds one to a count, and returns it.
func (s *pythonSite) enter(count *int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	*count++
	s.most = max(s.most, s.now)
	return *count
}

// atOnce returns the greatest number of requests that were in flight together.
func (s *pythonSite) atOnce() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

func (s *pythonSite) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now--
}

// urls returns the URLs of paths.
func (s *pythonSite) urls(paths ...string) (urls []string) {
	for _, p := range paths {
		urls = append(urls, s.URL+p)
	}
	return urls
}

// path returns the path of a URL.
func (s *pythonSite) path(url string) string { return strings.TrimPrefix(url, s.URL) }
