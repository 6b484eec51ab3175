package crawl

import (
	"context"
	"encoding/gob"
	"io"
	"os/exec"

	"prokata/checker/todo"
)

// Fetch gets one page and says what became of it. An answer of 500 and above
// is asked for again, up to lim.Retries times; any other failure is final, and
// counts as one attempt even if nothing could be sent.
//
// Nothing remains of it: no goroutine, and no connection but an idle one that
// the next page can use, also when it did not read an answer to its end. The
// end of ctx ends it at once.
func Fetch(ctx context.Context, url string, lim Limits) Page {
	// TODO: get the page, again after a 5xx.
	todo.Err("crawl: Fetch")
	return Page{URL: url}
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
	// TODO: fetch the page of each task, tell the manager, then the parent.
	todo.Err("crawl: worker")
}

// record puts a page into the manager's dicts and list. The page itself comes
// first: the rest only counts what is there.
func record(client *Client, page Page) error {
	// TODO: set the page, update its host, append to the log.
	return todo.Err("crawl: record")
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
	// TODO: start the process with a pipe each way.
	return nil, todo.Err("crawl: startWorker")
}

// pid returns the worker's process ID.
func (w *worker) pid() int { return w.cmd.Process.Pid }

// fetch has the worker fetch a page, and returns when the manager knows of it.
// An error means that the worker is dead.
func (w *worker) fetch(t task) error {
	// TODO: send the task, await the reply.
	return todo.Err("crawl: worker.fetch")
}

// end lets the worker go by closing its input, waits until it has ended, and
// returns how it died, if it did.
func (w *worker) end() error {
	// TODO: close its input, wait.
	return todo.Err("crawl: worker.end")
}
