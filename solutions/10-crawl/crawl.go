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
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/moby/sys/reexec"
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
	if cfg.Workers < 1 {
		return Result{}, fmt.Errorf("crawl: %d workers: need at least 1", cfg.Workers)
	}
	ctx, restore := signal.NotifyContext(ctx, os.Interrupt)
	defer restore()

	manager, err := StartManager()
	if err != nil {
		return Result{}, err
	}
	lost, abandon := context.WithCancelCause(context.Background())
	c := &crawl{
		cfg: cfg, ctx: ctx, lost: lost, abandon: abandon,
		manager: manager, todo: distinct(urls),
	}
	c.total = len(c.todo)
	c.report(Event{Kind: ManagerStarted, PID: manager.PID()})
	defer func() {
		// The manager last: the workers need it until they have ended.
		err = errors.Join(err, manager.Shutdown())
		c.report(Event{Kind: ManagerEnded, PID: manager.PID()})
	}()
	go func() {
		<-manager.Done()
		abandon(ErrManagerLost)
	}()

	if c.client, err = Dial(manager.Addr()); err != nil {
		return Result{}, err
	}
	defer c.client.Close()
	c.pages = NewDict[Page](c.client, "pages")

	var seats sync.WaitGroup
	for range min(cfg.Workers, c.total) {
		seats.Go(func() {
			err := errGoexit // stays if Progress does not come back from a call of seat
			defer func() {
				if err != nil {
					abandon(err)
				}
			}()
			err = c.seat()
		})
	}
	done := make(chan struct{})
	go func() {
		seats.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		restore() // so that a second Ctrl-C ends a program that is too slow to stop
		c.report(Event{Kind: Stopping})
		<-done
	}

	if lost.Err() != nil {
		return Result{}, fmt.Errorf("crawl: %w", context.Cause(lost))
	}
	result, err = collect(c.client)
	result.Left = c.todo
	if err == nil && len(c.todo) > 0 {
		err = fmt.Errorf("%w: %d pages left: %w", ErrStopped, len(c.todo), context.Cause(ctx))
	}
	return result, err
}

// errGoexit is why a crawl gives up whose Progress ended a goroutine of it: with the
// goroutine, the page that it had taken is lost.
var errGoexit = errors.New("a call of Progress ended the goroutine that called it")

// crawl is what the parent keeps while it crawls.
type crawl struct {
	cfg     Config
	ctx     context.Context // over: begin no new page
	lost    context.Context // over: drop the pages in flight as well
	abandon context.CancelCauseFunc
	manager *Manager
	client  *Client
	pages   Dict[Page]
	total   int

	mu   sync.Mutex // guards the rest, and calls of Progress
	todo []string
	done int
}

// seat fills one of the places for workers until there is nothing left to
// begin: when its worker dies, the next one sits down.
func (c *crawl) seat() error {
	var w *worker
	defer func() {
		if w != nil {
			c.dismiss(w)
		}
	}()
	for {
		url, ok := c.next()
		if !ok {
			return nil
		}
		for attempt, done := 1, false; !done; attempt++ {
			if w == nil {
				var err error
				if w, err = startWorker(c.lost, c.manager.Addr()); err != nil {
					return err
				}
				c.report(Event{Kind: WorkerStarted, PID: w.pid()})
			}
			c.report(Event{Kind: PageBegun, PID: w.pid(), Page: Page{URL: url}})
			err := w.fetch(task{url, c.cfg.Limits})
			if c.lost.Err() != nil {
				return nil // whoever gave up has said why
			}
			if err == nil {
				break
			}
			dead := w
			w = nil
			if done, err = c.bury(dead, url, attempt); err != nil {
				return err
			}
		}
		page, _, err := c.pages.Get(url) // the pipe says when, the manager says what
		if err != nil {
			return err
		}
		c.report(Event{Kind: PageDone, PID: page.Worker, Page: page})
	}
}

// bury waits for a worker that died over a page, and reports whether the page
// is done all the same: the worker had told the manager before it died, or it
// was the last attempt.
func (c *crawl) bury(w *worker, url string, attempt int) (done bool, err error) {
	why := c.dismiss(w)
	if _, done, err = c.pages.Get(url); done || err != nil {
		return done, err
	}
	if attempt <= c.cfg.Retries {
		return false, nil
	}
	page := Page{URL: url, Attempts: attempt, Worker: w.pid(), Err: fmt.Sprintf("worker %d died: %v", w.pid(), why)}
	return true, record(c.client, page)
}

// next takes the next page to begin. The end of ctx is looked at here, under
// the lock and by whoever wants a page: so nothing slips through that was
// handed out a moment before.
func (c *crawl) next() (url string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.todo) == 0 || c.ctx.Err() != nil || c.lost.Err() != nil {
		return "", false
	}
	url, c.todo = c.todo[0], c.todo[1:]
	return url, true
}

// dismiss lets a worker go, waits for it, and returns how it died, if it did.
func (c *crawl) dismiss(w *worker) error {
	err := w.end()
	c.report(Event{Kind: WorkerEnded, PID: w.pid(), Err: err})
	return err
}

// report tells the caller of a step. The lock keeps the calls apart: a
// callback needs none of its own.
func (c *crawl) report(e Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.Kind == PageDone {
		c.done++
	}
	e.Done, e.Total = c.done, c.total
	if c.cfg.Progress != nil {
		c.cfg.Progress(e)
	}
}

// collect copies the manager's dicts and list.
func collect(client *Client) (Result, error) {
	pages, errPages := NewDict[Page](client, "pages").All()
	hosts, errHosts := NewDict[Host](client, "hosts").All()
	log, errLog := NewList[string](client, "log").All()
	return Result{Pages: pages, Hosts: hosts, Log: log}, errors.Join(errPages, errHosts, errLog)
}

// distinct returns the URLs without repetitions, each in its first place.
func distinct(urls []string) []string {
	var list []string
	seen := make(map[string]bool)
	for _, u := range urls {
		if !seen[u] {
			seen[u] = true
			list = append(list, u)
		}
	}
	return list
}

// child returns a command that starts this program again, as the entry name.
func child(name string, args ...string) *exec.Cmd {
	cmd := reexec.Command(append([]string{name}, args...)...)
	cmd.Stderr = os.Stderr
	// The terminal sends Ctrl-C to its whole foreground process group. The
	// children are to finish what they have in hand, so they get a group of
	// their own, from the first moment; to ignore the signal in the child would
	// leave a gap before its main. That a child ends with its parent is seen
	// to by a pipe (work, manage), and not by reexec's Pdeathsig: it is sent
	// when the thread that started the child ends (golang.org/issue/27505).
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}
