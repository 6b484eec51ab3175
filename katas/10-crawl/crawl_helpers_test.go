package crawl_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/require"

	crawl "prokata/katas/10-crawl"
)

func init() {
	reexec.Register("crawl-program", program)
	reexec.Register("crawl-client", client)
}

// limits are for pages that answer: the time is only there for a server, or a
// crawl, that does not do what it should.
var limits = crawl.Limits{Timeout: 15 * time.Second}

// patient are for pages that the test holds: when their time is over, the crawl
// has not done what they wait for.
var patient = crawl.Limits{Timeout: 5 * time.Second}

// endless are for pages that are held for good: something else has to end them.
var endless = crawl.Limits{Timeout: time.Hour}

// brief are for pages that never end.
var brief = crawl.Limits{Timeout: 200 * time.Millisecond}

// A site is a real HTTP server on the loopback interface that keeps count.
type site struct {
	*httptest.Server
	mux    *http.ServeMux
	quit   chan struct{}  // closed at the end of the test: no handler outlives it
	crawls sync.WaitGroup // that were started; the site serves until they have ended

	mu      sync.Mutex
	hits    map[string]int
	current int
	most    int
}

// newSite starts a site, on which "/ok/..." is a page that holds its own path.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{mux: http.NewServeMux(), quit: make(chan struct{}), hits: make(map[string]int)}
	s.mux.HandleFunc("/ok/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) })
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.enter(r.URL.Path)
		defer s.leave()
		s.mux.ServeHTTP(w, r)
	}))
	// A connection that is kept for later has a timer at the client's side,
	// and a process with a timer never looks dead.
	s.Config.SetKeepAlivesEnabled(false)
	s.Start()
	t.Cleanup(func() {
		close(s.quit) // what is held is let go, so that a crawl can end
		s.crawls.Wait()
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func (s *site) enter(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hits[path]++
	s.current++
	s.most = max(s.most, s.current)
}

func (s *site) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current--
}

// requests returns how often a path was asked for.
func (s *site) requests(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits[path]
}

// atOnce returns the greatest number of requests that were in flight together.
func (s *site) atOnce() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// pages returns the URLs of n good pages.
func (s *site) pages(n int) []string {
	var urls []string
	for i := range n {
		urls = append(urls, fmt.Sprintf("%s/ok/%d", s.URL, i))
	}
	return urls
}

// gate adds "/held/...": pages that wait until they are let go.
func (s *site) gate() *gate {
	g := &gate{here: make(chan string, 1000), open: make(chan struct{})}
	s.mux.HandleFunc("/held/", func(w http.ResponseWriter, r *http.Request) {
		g.here <- r.URL.Path
		select {
		case <-g.open:
			fmt.Fprint(w, r.URL.Path)
		case <-r.Context().Done(): // the client has gone
		case <-s.quit:
		}
	})
	return g
}

// held returns the URLs of n pages behind the gate.
func (s *site) held(n int) []string {
	var urls []string
	for i := range n {
		urls = append(urls, fmt.Sprintf("%s/held/%d", s.URL, i))
	}
	return urls
}

// A gate holds requests.
type gate struct {
	here chan string   // the path of each request that has come
	open chan struct{} // close it to let them go
}

// An outcome is what Crawl returned.
type outcome struct {
	result crawl.Result
	err    error
}

// start begins a crawl in the background.
func (s *site) start(ctx context.Context, cfg crawl.Config, urls ...string) <-chan outcome {
	out := make(chan outcome, 1)
	s.crawls.Go(func() {
		var o outcome
		o.result, o.err = crawl.Crawl(ctx, cfg, urls...)
		out <- o
	})
	return out
}

// either waits for a value of c, and fails the test if the crawl ends before.
func either[T any](t *testing.T, c <-chan T, crawled <-chan outcome, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case o := <-crawled:
		require.NoError(t, o.err, "Crawl failed")
		t.Fatalf("Crawl returned before %s", what)
	}
	return v
}

// watch returns a Progress function that hands every event of a kind to the
// channel, which never blocks it.
func watch(kinds ...crawl.Kind) (func(crawl.Event), <-chan crawl.Event) {
	c := make(chan crawl.Event, 10_000)
	return func(e crawl.Event) {
		for _, k := range kinds {
			if e.Kind == k {
				c <- e
			}
		}
	}, c
}

// manager starts a manager that ends with the test, and a client of it.
func manager(t *testing.T) (*crawl.Manager, *crawl.Client) {
	t.Helper()
	m, err := crawl.StartManager()
	require.NoError(t, err, "StartManager failed")
	t.Cleanup(func() { m.Shutdown() })
	return m, dial(t, m)
}

// dial connects to a manager until the end of the test.
func dial(t *testing.T, m *crawl.Manager) *crawl.Client {
	t.Helper()
	c, err := crawl.Dial(m.Addr())
	require.NoError(t, err, "Dial failed")
	t.Cleanup(func() { c.Close() })
	return c
}

// errno returns what kill says to signal 0: nil while the process has not been
// waited for, ESRCH afterwards.
func errno(pid int) error { return syscall.Kill(pid, 0) }

// A setup is what a program is to crawl.
type setup struct {
	Workers int
	Limits  crawl.Limits
	URLs    []string
	Raise   bool // send itself an interrupt when Crawl has returned
}

// A line is what a program prints: one event, or its outcome at the end.
type line struct {
	Event  *crawl.Event
	Result *crawl.Result
	Err    string
	Stopped,
	Lost bool // Err is ErrStopped, ErrManagerLost
}

// program is a process that crawls as a program on its own would: with nothing
// but Crawl in it.
func program() {
	var s setup
	if err := json.Unmarshal([]byte(os.Args[1]), &s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	out := json.NewEncoder(os.Stdout)
	result, err := crawl.Crawl(context.Background(), crawl.Config{
		Workers: s.Workers, Limits: s.Limits,
		Progress: func(e crawl.Event) { out.Encode(line{Event: &e}) },
	}, s.URLs...)
	last := line{Result: &result}
	if err != nil {
		last.Err = err.Error()
		last.Stopped = errors.Is(err, crawl.ErrStopped)
		last.Lost = errors.Is(err, crawl.ErrManagerLost)
	}
	out.Encode(last)
	if s.Raise {
		interruptSelf()
		out.Encode(line{Err: "the interrupt had no effect"})
	}
}

// A running is a program that crawls, as a shell would have started it.
type running struct {
	t      *testing.T
	pid    int
	out    *json.Decoder
	wait   func() error
	events []crawl.Event
}

// run starts a program in a process group of its own.
func run(t *testing.T, s setup, stderr *os.File) *running {
	t.Helper()
	arg, err := json.Marshal(s)
	require.NoError(t, err, "the test could not encode what it sends")
	cmd := reexec.Command("crawl-program", string(arg))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err, "the test could not make a pipe")
	require.NoError(t, cmd.Start(), "the test could not start a child")
	r := &running{t: t, pid: cmd.Process.Pid, out: json.NewDecoder(stdout)}
	r.wait = sync.OnceValue(cmd.Wait)
	t.Cleanup(func() {
		cmd.Process.Kill()
		r.wait()
	})
	return r
}

// next reads one line of the program.
func (r *running) next() line {
	r.t.Helper()
	var l line
	if err := r.out.Decode(&l); err != nil {
		r.t.Fatalf("the program ended before Crawl had returned\nhow it ended: %v", r.wait())
	}
	if l.Event != nil {
		r.events = append(r.events, *l.Event)
	}
	return l
}

// await reads until the program tells of an event.
func (r *running) await(kind crawl.Kind) crawl.Event {
	r.t.Helper()
	for {
		l := r.next()
		if l.Event == nil {
			require.Empty(r.t, l.Err, "Crawl failed before it told of %q", kind)
			r.t.Fatalf("Crawl returned before it told of %q", kind)
		}
		if l.Event.Kind == kind {
			return *l.Event
		}
	}
}

// outcome reads to the end, and waits for the program.
func (r *running) outcome() line {
	r.t.Helper()
	for {
		if l := r.next(); l.Event == nil {
			require.NoError(r.t, r.wait(), "the program failed after Crawl had returned")
			return l
		}
	}
}

// arrived waits until the program has begun n pages and the gate holds them.
func (r *running) arrived(g *gate, n int) {
	r.t.Helper()
	for range n {
		r.await(crawl.PageBegun)
	}
	for range n {
		<-g.here
	}
}

// ended returns the process IDs of the workers that the program says have
// ended, and whether the manager ended after all of them.
func (r *running) ended() (workers []int, managerLast bool) {
	for _, e := range r.events {
		switch e.Kind {
		case crawl.WorkerEnded:
			workers = append(workers, e.PID)
			managerLast = false
		case crawl.ManagerEnded:
			managerLast = true
		}
	}
	return workers, managerLast
}

// client is a process that uses a manager's proxies: it adds to a number in
// the dict "numbers" and appends to the list "who".
func client() {
	var times int
	fmt.Sscan(os.Args[2], &times)
	if err := add(os.Args[1], times); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func add(addr string, times int) error {
	c, err := crawl.Dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for range times {
		if err := crawl.NewDict[int](c, "numbers").Update("sum", func(n int, _ bool) int { return n + 1 }); err != nil {
			return err
		}
	}
	return crawl.NewList[int](c, "who").Append(os.Getpid())
}
