// Package crawl downloads pages by several processes at once.
//
// This is the project to which the other katas lead. Three kinds of process
// take part:
//
//	Crawl ── task, done ──> worker ──> the web
//	  │  └── task, done ──> worker ──> the web
//	  │                       │
//	  └────────> manager <────┘
//
// Crawl is the parent. It hands out one URL at a time to each worker through a
// pair of pipes. A worker fetches the page and puts what became of it into
// dicts and lists that all of them share. Shared memory could not hold those
// in Go; so they live in a process of their own, the manager, and everybody
// else holds proxies: small values whose methods send a request over a Unix
// socket. Python's multiprocessing.Manager does the same.
//
// Starting is the easy half. The other is to stop: when the list is done, on
// Ctrl-C, when a page never ends, when any one of the processes is killed.
// Write Fetch (worker.go) first, then the manager (manager.go) and its proxies
// (proxy.go), then the worker, and Crawl last.
package crawl

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"time"

	"github.com/moby/sys/reexec"

	"prokata/checker/todo"
)

func init() {
	reexec.Register("crawl-worker", work)
	reexec.Register("crawl-manager", manage)
}

// ErrStopped is what Crawl returns, wrapped, when it was interrupted while
// there were pages left.
var ErrStopped = errors.New("crawl stopped")

// Config says how to crawl.
type Config struct {
	Workers  int         // worker processes at one time, at least 1
	Limits               // for each page
	Progress func(Event) // told of each step, by one goroutine at a time; may be nil
}

// Limits say how much is done for a single page.
type Limits struct {
	Timeout  time.Duration // for one request and its whole answer; 0 means 10 s
	MaxBytes int64         // length of the longest body; 0 means 8 MiB
	Retries  int           // further attempts after a 5xx answer, or a worker's death
	Backoff  time.Duration // before the first retry after a 5xx; then twice as long, and so on
}

// A Page is what became of one URL.
type Page struct {
	URL      string
	Status   int    // of the last answer; 0 if there was none
	Size     int64  // bytes of the last body that were read, at most MaxBytes
	Err      string // why the page could not be had, or ""; a status of 400 and above is such a reason, and named
	Attempts int    // how often its worker tried; of a page whose workers all died, how many there were
	Worker   int    // process ID of the worker, the last one; 0 in what Fetch returns
}

// A Host sums up the pages of one host.
type Host struct {
	Pages  int   // fetched or failed
	Failed int   // of these, pages with an Err
	Bytes  int64 // sum of their sizes
}

// A Result is what Crawl has brought together: a copy of what the manager held.
type Result struct {
	Pages map[string]Page // the dict "pages", by URL
	Hosts map[string]Host // the dict "hosts", by host and port as in the URL
	Log   []string        // the list "log": the URLs in the order in which they were done
	Left  []string        // URLs that were never begun, in the order given
}

// An Event is one step of a crawl.
type Event struct {
	Kind  Kind
	PID   int   // of the manager, or of the worker
	Page  Page  // PageBegun: its URL alone; PageDone: all of it
	Done  int   // pages done so far
	Total int   // pages asked for
	Err   error `json:"-"` // WorkerEnded: how it died; nil if it was let go
}

// Kind tells the steps apart.
type Kind string

// The steps of a crawl.
const (
	ManagerStarted Kind = "manager started"
	WorkerStarted  Kind = "worker started"
	PageBegun      Kind = "page begun"    // the worker is about to get its URL
	PageDone       Kind = "page done"     // the page stands in the dict
	Stopping       Kind = "stopping"      // no new page is begun from here on
	WorkerEnded    Kind = "worker ended"  // and was waited for
	ManagerEnded   Kind = "manager ended" // and was waited for
)

// Crawl fetches every page once, however often it is listed, and returns when all
// of its processes have ended, the manager last. Duplicates do not count in
// Event.Total. The pages are begun in the order given, by cfg.Workers processes, or
// as many as there are pages if these are fewer: all at work at the same time, each
// of them taking page after page. With less than one worker it is an error, and
// nothing is begun.
//
// An interrupt (SIGINT: Ctrl-C) and the end of ctx do the same: no page is begun
// after it, those in flight come to their end, and Crawl returns the results
// so far with ErrStopped, which also wraps the cause if it was the end of ctx. When
// every page is done, there is no error. A second interrupt has its usual effect: it
// ends the program; the processes of the crawl then end by themselves, at once. So
// has every interrupt after Crawl has returned.
//
// When a worker dies, a new one takes over its page, up to cfg.Retries times;
// then the page is recorded as failed, with how the last worker died as its Err. But
// a page that stands in the dict is done, and not fetched again, whatever became of
// its worker. When the manager dies, the results are
// lost: Crawl gives up at once, without waiting for pages, and returns
// ErrManagerLost. When a process cannot be started, it gives up in the same
// way, and returns why; also when Progress ends the goroutine that calls it
// (runtime.Goexit, as t.FailNow does) while a page is under way.
func Crawl(ctx context.Context, cfg Config, urls ...string) (result Result, err error) {
	// TODO: start the manager, then the workers; hand out the pages; join all.
	return Result{}, todo.Err("crawl: Crawl")
}

// child returns a command that starts this program again, as the entry name.
func child(name string, args ...string) *exec.Cmd {
	cmd := reexec.Command(append([]string{name}, args...)...)
	cmd.Stderr = os.Stderr
	// TODO: the terminal sends Ctrl-C to its whole foreground process group.
	return cmd
}
