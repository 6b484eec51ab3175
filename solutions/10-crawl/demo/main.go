// Command demo crawls pages of a slow server of its own, on the loopback
// interface, and prints each step. Stop it by Ctrl-C in the middle:
//
//	go run ./solutions/10-crawl/demo
//
// Given URLs, it crawls those instead.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/moby/sys/reexec"

	crawl "prokata/solutions/10-crawl"
)

func main() {
	// The workers and the manager are this program too, started again.
	if reexec.Init() {
		return
	}
	var (
		workers = flag.Int("workers", 3, "worker processes")
		pages   = flag.Int("pages", 20, "pages of the demonstration's server")
		delay   = flag.Duration("delay", 500*time.Millisecond, "time that the server takes for a page")
		timeout = flag.Duration("timeout", 5*time.Second, "time for one request")
	)
	flag.Parse()

	urls := flag.Args()
	if len(urls) == 0 {
		server := httptest.NewServer(site(*delay))
		defer server.Close()
		for i := range *pages {
			urls = append(urls, fmt.Sprintf("%s/%d", server.URL, i+1))
		}
		urls = append(urls, server.URL+"/missing", server.URL+"/circle", server.URL+"/1")
	}

	result, err := crawl.Crawl(context.Background(), crawl.Config{
		Workers: *workers,
		Limits: crawl.Limits{
			Timeout: *timeout,
			Retries: 2,
			Backoff: 100 * time.Millisecond,
		},
		Progress: show,
	}, urls...)

	fmt.Println()
	for host, h := range result.Hosts {
		fmt.Printf("%s: %d pages, %d failed, %d bytes\n", host, h.Pages, h.Failed, h.Bytes)
	}
	for _, u := range slices.Sorted(slices.Values(result.Log)) {
		if p := result.Pages[u]; p.Err != "" {
			fmt.Printf("failed: %s: %s\n", u, p.Err)
		}
	}
	if len(result.Left) > 0 {
		fmt.Printf("left: %s\n", strings.Join(result.Left, " "))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		if errors.Is(err, crawl.ErrStopped) {
			os.Exit(130) // as a shell reports a program that Ctrl-C ended
		}
		os.Exit(1)
	}
}

// show prints one step.
func show(e crawl.Event) {
	switch e.Kind {
	case crawl.PageBegun:
		fmt.Printf("[%2d/%d] %6d  begins  %s\n", e.Done, e.Total, e.PID, e.Page.URL)
	case crawl.PageDone:
		fmt.Printf("[%2d/%d] %6d  %d, %d bytes, %d attempts  %s\n", e.Done, e.Total, e.PID, e.Page.Status, e.Page.Size, e.Page.Attempts, e.Page.URL)
	case crawl.Stopping:
		fmt.Printf("[%2d/%d]         stopping: pages in flight are awaited (Ctrl-C again: at once)\n", e.Done, e.Total)
	case crawl.WorkerEnded:
		if e.Err != nil {
			fmt.Printf("[%2d/%d] %6d  worker died: %v\n", e.Done, e.Total, e.PID, e.Err)
			break
		}
		fallthrough
	default:
		fmt.Printf("[%2d/%d] %6d  %s\n", e.Done, e.Total, e.PID, e.Kind)
	}
}

// site serves slow pages, each with a trouble of its own kind now and then.
func site(delay time.Duration) http.Handler {
	failed := make(chan bool, 1)
	failed <- true
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(delay)
		fmt.Fprint(w, strings.Repeat("page ", 100*len(r.URL.Path)))
	})
	mux.HandleFunc("/3", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(delay)
		select {
		case <-failed: // the first time
			http.Error(w, "try again", http.StatusServiceUnavailable)
		default:
			fmt.Fprint(w, "better now")
		}
	})
	mux.HandleFunc("/missing", http.NotFound)
	mux.HandleFunc("/circle", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/circle", http.StatusFound)
	})
	return mux
}
