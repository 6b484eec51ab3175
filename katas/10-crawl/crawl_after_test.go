package crawl_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	crawl "prokata/katas/10-crawl"
)

// After the last page, Ctrl-C is the program's own again.
func TestInterruptAfterTheCrawl(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	r := run(t, setup{Workers: 1, Limits: limits, URLs: s.pages(2), Raise: true}, os.Stderr)
	l := r.next()
	for l.Event != nil {
		l = r.next()
	}
	require.Empty(t, l.Err, "Crawl failed")
	err := r.wait()
	require.Error(t, err, "an interrupt had no effect on a program whose crawl had ended")
	assert.Equal(t, "signal: "+syscall.SIGINT.String(), err.Error(), "an interrupt did not end a program whose crawl had ended")
}

// A worker dies after it has put its page into the dict, and before it can say so: the
// page is done, and nobody asks for it again.
func TestPageInTheDictIsDone(t *testing.T) {
	harness.Test(t)
	if runtime.GOOS != "linux" {
		t.Skip("not checked on this system: a worker that dies between two steps")
	}
	s := newSite(t)
	g := s.gate()
	url := s.held(1)[0]
	lim := endless
	lim.Retries = 1
	r := run(t, setup{Workers: 1, Limits: lim, URLs: []string{url}}, os.Stderr)
	worker := r.await(crawl.PageBegun).PID
	<-g.here
	// The parent stands still, and the pipe to it is full: the worker gets stuck with its
	// reply. The first argument of its process is the manager's address.
	require.NoError(t, syscall.Kill(r.pid, syscall.SIGSTOP), "the test could not stop the program: it had ended too early")
	defer syscall.Kill(r.pid, syscall.SIGCONT)
	untilStopped(t, r.pid) // or it would take what is stuffed into the pipe for a reply
	pipe := stuff(t, fmt.Sprintf("/proc/%d/fd/1", worker))
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", worker))
	require.NoError(t, err, "the worker was no process, or had ended too early")
	words := strings.Split(string(args), "\x00")
	require.Greater(t, len(words), 1, "the worker did not get the manager's address as its first argument")
	c, err := crawl.Dial(words[1])
	require.NoError(t, err, "Dial failed with the first argument of a worker, which is the manager's address")
	defer c.Close()
	pages := crawl.NewDict[crawl.Page](c, "pages")
	close(g.open)
	for done := false; !done; {
		stuck := writes(worker)
		require.NotContains(t, []byte{0, 'Z'}, state(t, fmt.Sprintf("/proc/%d/stat", worker)), "a worker ended by itself while its program stood still")
		_, done, err = pages.Get(url)
		require.NoError(t, err, "Get failed")
		require.True(t, done || !stuck, "a worker said that its page was done, and had not put it into the dict")
	}
	require.NoError(t, syscall.Kill(worker, syscall.SIGKILL), "the test could not kill the worker: it had ended too early")
	untilDead(t, worker) // or it could still write when there is room
	drain(t, pipe)
	require.NoError(t, syscall.Kill(r.pid, syscall.SIGCONT), "the test could not let the program go on: it had ended too early")
	o := r.outcome()
	require.Empty(t, o.Err, "Crawl failed because a worker had died")
	assert.Equal(t, 1, s.requests("/held/0"), "a page that stood in the dict was asked for again when its worker had died")
	assert.Equal(t, 200, o.Result.Pages[url].Status, "a page that stood in the dict was not in the result")
}

// writes tells whether a process is in the middle of writing to its standard output.
func writes(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", pid))
	for _, path := range threads {
		b, _ := os.ReadFile(path) // one that has ended is not
		if strings.HasPrefix(string(b), fmt.Sprintf("%d 0x1 ", syscall.SYS_WRITE)) {
			return true
		}
	}
	return false
}

// stuff fills the pipe at path.
func stuff(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	require.NoError(t, err, "the standard output of a worker was no pipe to its parent, or the worker had ended")
	t.Cleanup(func() { f.Close() })
	for _, b := range [][]byte{make([]byte, 4096), {0}} {
		for err = nil; err == nil; {
			_, err = syscall.Write(int(f.Fd()), b)
		}
		require.ErrorIs(t, err, syscall.EAGAIN, "the test could not fill the pipe from a worker")
	}
	return f
}

// drain empties a pipe, and closes it.
func drain(t *testing.T, f *os.File) {
	t.Helper()
	var err error
	for b := make([]byte, 4096); err == nil; {
		_, err = syscall.Read(int(f.Fd()), b)
	}
	require.ErrorIs(t, err, syscall.EAGAIN, "the test could not empty the pipe from a worker")
	require.NoError(t, f.Close(), "the test could not close the pipe from a worker")
}

// untilDead waits until a process has ended, whether or not somebody has waited for it.
func untilDead(t *testing.T, pid int) {
	t.Helper()
	for state(t, fmt.Sprintf("/proc/%d/stat", pid)) != 'Z' {
		if syscall.Kill(pid, 0) != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// untilStopped waits until every thread of a process that was told to stop stands still.
func untilStopped(t *testing.T, pid int) {
	t.Helper()
	for still := false; !still; time.Sleep(time.Millisecond) {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		still = len(threads) > 0
		for _, path := range threads {
			s := state(t, path)
			still = still && (s == 'T' || s == 'Z' || s == 0)
		}
		require.NoError(t, syscall.Kill(pid, 0), "the program had ended too early")
	}
}

// state is the letter for what a thread does, and 0 if it is gone.
func state(t *testing.T, path string) byte {
	t.Helper()
	stat, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return 0
	}
	require.NoError(t, err, "the test could not look at a process")
	// 4312 (crawl-worker) Z 4300 ...: the name may hold anything.
	if i := bytes.LastIndexByte(stat, ')'); i >= 0 && i+2 < len(stat) {
		return stat[i+2]
	}
	return 0
}

// A Progress that ends its goroutine, as t.FailNow does, is not the end of a page.
func TestProgressEndsItsGoroutine(t *testing.T) {
	harness.Test(t)
	s := newSite(t)
	crawled := s.start(t.Context(), crawl.Config{Workers: 1, Limits: limits, Progress: func(e crawl.Event) {
		if e.Kind == crawl.PageBegun {
			runtime.Goexit()
		}
	}}, s.pages(2)...)
	o := <-crawled
	require.Error(t, o.err, "Crawl told of no error though Progress had ended its goroutine before the page was done")
	assert.NotErrorIs(t, o.err, crawl.ErrStopped, "Crawl said that it was interrupted, but Progress had ended its goroutine")
	assert.NotErrorIs(t, o.err, io.EOF, "Crawl said that a worker was lost, but Progress had ended its goroutine")
}
