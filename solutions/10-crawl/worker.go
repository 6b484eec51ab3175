package crawl

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"time"
)

// Fetch gets one page and says what became of it. An answer of 500 and above
// is asked for again, up to lim.Retries times; any other failure is final, and
// counts as one attempt even if nothing could be sent.
//
// Nothing remains of it: no goroutine, and no connection but an idle one that
// the next page can use, also when it did not read an answer to its end. The
// end of ctx ends it at once.
func Fetch(ctx context.Context, url string, lim Limits) Page {
	page := Page{URL: url}
	pause := lim.Backoff
	for {
		var err error
		page.Attempts++
		if page.Status, page.Size, err = get(ctx, url, lim); err == nil {
			page.Err = ""
			return page
		}
		page.Err = err.Error()
		if page.Status < 500 || page.Attempts > lim.Retries {
			return page
		}
		select {
		case <-time.After(pause):
			pause *= 2
		case <-ctx.Done():
			return page
		}
	}
}

// get makes one request.
func get(ctx context.Context, url string, lim Limits) (status int, size int64, err error) {
	timeout, longest := lim.Timeout, lim.MaxBytes
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	if longest == 0 {
		longest = 8 << 20
	}
	// The time runs until the body has been read: a server may send its
	// header at once, and then one byte a minute.
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, 0, err
	}
	resp, err := http.DefaultClient.Do(req) // follows up to 10 redirects
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	// One byte more than allowed tells a body that is too long.
	size, err = io.Copy(io.Discard, io.LimitReader(resp.Body, longest+1))
	switch {
	case err != nil:
	case size > longest:
		size, err = longest, fmt.Errorf("body is longer than %d bytes", longest)
	case resp.StatusCode >= 400:
		err = errors.New(resp.Status)
	}
	return resp.StatusCode, size, err
}

// A task is what the parent asks of a worker.
type task struct {
	URL    string
	Limits Limits
}

// A reply is a worker's answer to a task. It says that the page is done; what
// became of it, the manager knows.
type reply struct {
	URL string
}

// work is the worker process. Its first argument is the manager's address,
// its standard input brings tasks, its standard output takes replies.
func work() {
	log.SetPrefix("crawl-worker: ")
	client, err := Dial(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	// The input is read at all times, also while a page is being fetched: its
	// end means that the parent has no use for the page, or is dead. No signal
	// is needed, and none could be relied on when the parent was killed.
	ctx, cancel := context.WithCancel(context.Background())
	tasks := make(chan task)
	go func() {
		defer close(tasks)
		defer cancel()
		for in := gob.NewDecoder(os.Stdin); ; {
			var t task
			if in.Decode(&t) != nil {
				return
			}
			tasks <- t
		}
	}()

	out := gob.NewEncoder(os.Stdout)
	for t := range tasks {
		page := Fetch(ctx, t.URL, t.Limits)
		if ctx.Err() != nil {
			return
		}
		page.Worker = os.Getpid()
		if record(client, page) != nil {
			return // the manager is lost, as the parent will see for itself
		}
		if out.Encode(reply{t.URL}) != nil {
			return
		}
	}
}

// record puts a page into the manager's dicts and list. The page itself comes
// first: the rest only counts what is there.
func record(client *Client, page Page) error {
	host := ""
	if u, err := url.Parse(page.URL); err == nil {
		host = u.Host
	}
	return errors.Join(
		NewDict[Page](client, "pages").Set(page.URL, page),
		// Other workers count pages of this host too: Get and Set would lose some.
		NewDict[Host](client, "hosts").Update(host, func(h Host, _ bool) Host {
			h.Pages++
			h.Bytes += page.Size
			if page.Err != "" {
				h.Failed++
			}
			return h
		}),
		NewList[string](client, "log").Append(page.URL),
	)
}

// A worker is the parent's view of a worker process.
type worker struct {
	cmd     *exec.Cmd
	stdin   io.Closer
	tasks   *gob.Encoder
	replies *gob.Decoder
}

// startWorker starts a worker process. When lost is over, the worker is told
// to drop what it does and end.
func startWorker(lost context.Context, manager string) (*worker, error) {
	cmd := child("crawl-worker", manager)
	stdin, errIn := cmd.StdinPipe()
	stdout, errOut := cmd.StdoutPipe()
	cmd.Err = errors.Join(errIn, errOut) // is Start's as well, which closes what is open
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	context.AfterFunc(lost, func() { stdin.Close() })
	return &worker{cmd, stdin, gob.NewEncoder(stdin), gob.NewDecoder(stdout)}, nil
}

// pid returns the worker's process ID.
func (w *worker) pid() int { return w.cmd.Process.Pid }

// fetch has the worker fetch a page, and returns when the manager knows of it.
// An error means that the worker is dead.
func (w *worker) fetch(t task) error {
	return errors.Join(w.tasks.Encode(t), w.replies.Decode(new(reply)))
}

// end lets the worker go by closing its input, waits until it has ended, and
// returns how it died, if it did.
func (w *worker) end() error {
	w.stdin.Close()
	return w.cmd.Wait()
}
