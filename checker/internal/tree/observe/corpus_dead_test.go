//go:build linux

package observe

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func corpus() []row { return append(deadRows(), liveRows()...) }

func deadRows() []row { return append(plainDead(), deadWaits()...) }

// circleOf is a row of n processes that hold one lock each and want the next.
func circleOf(name string, n int, lock func(f *os.File) error) row {
	return row{
		name: name, want: []string{"child", "lock"}, circle: n,
		outside: func(t testing.TB) ([]string, []*os.File) { return []string{t.TempDir()}, nil },
		roles: map[string]func([]string){
			"top": func(args []string) {
				// All have their first lock before one asks for the second.
				ready, ready2 := pipe()
				gate, gate2 := pipe()
				for i := range n {
					child("member", []*os.File{gate, ready2}, args[0], strconv.Itoa(i))
				}
				gate.Close()
				ready2.Close()
				io.ReadFull(ready, make([]byte, n))
				gate2.Close()
				ready.Close()
				quiet()
				unix.Wait4(-1, nil, 0, nil)
			},
			"member": func(args []string) {
				gate, ready := os.NewFile(4, "gate"), os.NewFile(5, "ready")
				open := func(i int) *os.File {
					return must(os.OpenFile(filepath.Join(args[0], fmt.Sprint("lock", i%n)), os.O_RDWR|os.O_CREATE, 0o600))
				}
				i := must(strconv.Atoi(args[1]))
				mine, next := open(i), open(i+1)
				check(lock(mine))
				ready.Write([]byte{1})
				ready.Close()
				io.Copy(io.Discard, gate)
				gate.Close()
				quiet()
				check(lock(next))
				os.Exit(4)
			},
		},
	}
}

func pipe() (r, w *os.File) {
	r, w, err := os.Pipe()
	check(err)
	return r, w
}

func flock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX) }

func fcntlLock(f *os.File, cmd int) error {
	return unix.FcntlFlock(f.Fd(), cmd, &unix.Flock_t{Type: unix.F_WRLCK})
}

// firstWriters is a row of two processes that both write more than fits before
// they read.
func firstWriters(name, kind string, connect func() (a, b *os.File)) row {
	return row{
		name: name, want: []string{"child", kind}, circle: 2,
		roles: map[string]func([]string){
			"top": func([]string) {
				a, b := connect()
				child("writer", []*os.File{a})
				child("writer", []*os.File{b})
				a.Close()
				b.Close()
				quiet()
				unix.Wait4(-1, nil, 0, nil)
			},
			"writer": func([]string) {
				conn := must(net.FileConn(os.NewFile(4, "conn")))
				unix.Close(4)
				quiet()
				conn.Write(make([]byte, 64<<20))
			},
		},
	}
}

func socketpair() (a, b *os.File) {
	fds := must(unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0))
	return os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
}

// connected is a connection through a listener.
func connected(network, address string) (a, b *os.File) {
	l := must(net.Listen(network, address))
	defer l.Close()
	one := must(net.Dial(network, l.Addr().String()))
	two := must(l.Accept())
	defer one.Close()
	defer two.Close()
	type filer interface{ File() (*os.File, error) }
	return must(one.(filer).File()), must(two.(filer).File())
}

// words maps memory that children share, of the file at descriptor 4.
func words() *[512]uint64 {
	b := must(unix.Mmap(4, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED))
	return (*[512]uint64)(unsafe.Pointer(&b[0]))
}

func memory() *os.File {
	f := os.NewFile(uintptr(must(unix.MemfdCreate("words", unix.MFD_CLOEXEC))), "words")
	check(f.Truncate(4096))
	return f
}

func futexWait(word *uint64, timeout *unix.Timespec) {
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), 0, 0, uintptr(unsafe.Pointer(timeout)), 0, 0)
}

// alone is a row of one process.
func alone(name string, want string, circle int, f func()) row {
	return row{name: name, want: []string{want}, circle: circle, roles: map[string]func([]string){"top": func([]string) { f() }}}
}

func plainDead() []row {
	ofd := func(f *os.File) error { return fcntlLock(f, unix.F_OFD_SETLKW) }
	posix := func(f *os.File) error { return fcntlLock(f, unix.F_SETLKW) }
	return []row{
		circleOf("dead flock circle of 2", 2, flock),
		circleOf("dead flock circle of 12", 12, flock),
		circleOf("dead OFD circle of 2", 2, ofd),
		circleOf("dead OFD circle of 12", 12, ofd),
		// The kernel itself refuses a circle of this kind (EDEADLK), unless it is
		// longer than the kernel cares to look.
		circleOf("dead POSIX circle of 14", 14, posix),
		{
			name: "dead POSIX against flock", want: []string{"lock"}, circle: 2,
			outside: func(t testing.TB) ([]string, []*os.File) { return []string{t.TempDir()}, nil },
			roles: map[string]func([]string){
				"top": func(args []string) {
					a := must(os.Create(args[0] + "/a"))
					check(flock(a)) // belongs to the open file: the child has it too, and closes it
					r, w := pipe()
					child("other", []*os.File{w}, args[0])
					w.Close()
					io.ReadFull(r, make([]byte, 1))
					r.Close()
					quiet()
					check(posix(must(os.Create(args[0] + "/b"))))
				},
				"other": func(args []string) {
					check(posix(must(os.OpenFile(args[0]+"/b", os.O_RDWR|os.O_CREATE, 0o600))))
					unix.Write(4, []byte{1})
					quiet()
					check(flock(must(os.Open(args[0] + "/a"))))
				},
			},
		},
		{
			name: "dead wait with a full pipe", want: []string{"child", "pipe"}, circle: 2,
			roles: map[string]func([]string){
				"top": func([]string) {
					r, w := pipe()
					cmd := child("writer", []*os.File{w})
					w.Close()
					quiet()
					cmd.Wait()
					r.Close()
				},
				"writer": func([]string) {
					quiet()
					unix.Write(4, make([]byte, 1<<20))
				},
			},
		},
		alone("dead own write end", "pipe", 1, func() {
			r, w := pipe()
			w.Write([]byte("all"))
			quiet()
			io.Copy(io.Discard, r)
			w.Close()
		}),
		{
			name: "dead inherited write end", want: []string{"child", "pipe"}, circle: 2,
			roles: map[string]func([]string){
				"top": func([]string) {
					r, w := pipe()
					a := child("reader", []*os.File{r, w})
					b := child("reader", []*os.File{r, w})
					r.Close()
					w.Close()
					quiet()
					a.Wait()
					b.Wait()
				},
				"reader": func([]string) {
					quiet()
					io.Copy(io.Discard, os.NewFile(4, "r"))
				},
			},
		},
		firstWriters("dead write first, unix", "socket", socketpair),
		firstWriters("dead write first, unix listener", "socket", func() (a, b *os.File) {
			return connected("unix", fmt.Sprintf("@prokata-%d", os.Getpid()))
		}),
		firstWriters("dead write first, TCP", "socket", func() (a, b *os.File) { return connected("tcp", "127.0.0.1:0") }),
		{
			name: "dead write first, pipes", want: []string{"child", "pipe"}, circle: 2,
			roles: map[string]func([]string){
				"top": func([]string) {
					r1, w1 := pipe()
					r2, w2 := pipe()
					child("writer", []*os.File{w1, r2})
					child("writer", []*os.File{w2, r1})
					for _, f := range []*os.File{r1, w1, r2, w2} {
						f.Close()
					}
					quiet()
					unix.Wait4(-1, nil, 0, nil)
				},
				"writer": func([]string) {
					quiet()
					os.NewFile(4, "w").Write(make([]byte, 1<<20))
				},
			},
		},
		alone("dead channel", "goroutine", 0, func() {
			quiet()
			<-make(chan int)
		}),
		alone("dead mutexes", "goroutine", 0, func() {
			var a, b sync.Mutex
			var met, end sync.WaitGroup
			met.Add(2)
			end.Add(2)
			for _, pair := range [][2]*sync.Mutex{{&a, &b}, {&b, &a}} {
				go func() {
					defer end.Done()
					pair[0].Lock()
					met.Done()
					met.Wait()
					quiet()
					pair[1].Lock()
				}()
			}
			end.Wait()
		}),
		alone("dead flock against itself", "lock", 1, func() {
			path := filepath.Join(os.TempDir(), fmt.Sprintf("prokata-lock-%d", os.Getpid()))
			a, b := must(os.Create(path)), must(os.Create(path))
			os.Remove(path)
			check(flock(a))
			quiet()
			check(flock(b))
		}),
		{
			name: "dead futex in shared memory", want: []string{"child", "futex"}, circle: 2,
			roles: map[string]func([]string){
				"top": func([]string) {
					f := memory()
					child("waiter", []*os.File{f})
					child("waiter", []*os.File{f})
					f.Close()
					quiet()
					unix.Wait4(-1, nil, 0, nil)
				},
				"waiter": func([]string) {
					w := words()
					quiet()
					futexWait(&w[0], nil)
				},
			},
		},
		{
			name: "dead signal that never comes", want: []string{"child", "signal"}, pids: true,
			roles: map[string]func([]string){
				"top": func([]string) {
					c := child("waiter", nil)
					quiet()
					c.Wait()
				},
				"waiter": func([]string) {
					c := make(chan os.Signal, 1)
					signal.Notify(c, unix.SIGUSR1)
					quiet()
					<-c
				},
			},
		},
		{name: "dead sigtimedwait without a timeout", want: []string{"signal"}, pids: true, roles: map[string]func([]string){"top": func([]string) {
			set := [1]uint64{1 << (unix.SIGUSR1 - 1)}
			quiet()
			for {
				unix.Syscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&set)), 0, 0, 8, 0, 0)
			}
		}}},
		{
			name: "dead stopped child", want: []string{"child", "stopped"}, pids: true,
			roles: map[string]func([]string){
				"top": func([]string) {
					c := child("stopped", nil)
					quiet()
					c.Wait()
				},
				"stopped": func([]string) {
					quiet()
					unix.Kill(os.Getpid(), unix.SIGSTOP)
				},
			},
		},
		{
			name: "dead child that waits for its parent", want: []string{"child"}, circle: 2,
			roles: map[string]func([]string){
				"top": func([]string) {
					c := child("waiter", nil)
					quiet()
					c.Wait()
				},
				"waiter": func([]string) {
					fd := must(unix.PidfdOpen(os.Getppid(), 0))
					quiet()
					unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
				},
			},
		},
		{
			name: "dead child that waits for its parent's pipe", want: []string{"child", "pipe"}, circle: 2,
			roles: map[string]func([]string){
				"top": func([]string) {
					r, w := pipe()
					c := child("waiter", []*os.File{r})
					r.Close()
					quiet()
					c.Wait()
					w.Close()
				},
				"waiter": func([]string) {
					quiet()
					io.Copy(io.Discard, os.NewFile(4, "r"))
				},
			},
		},
		nobodyAccepts("dead connection that nobody accepts, TCP", "tcp", func() string { return "127.0.0.1:0" }),
		nobodyAccepts("dead connection that nobody accepts, unix", "unix", func() string { return fmt.Sprintf("@prokata-%d", os.Getpid()) }),
		{
			name: "dead behind a shell", want: []string{"child", "pipe"}, circle: 3, needs: "/bin/sh",
			roles: map[string]func([]string){
				"top": func([]string) {
					r, w := pipe()
					cmd := command("sh", "-c", "cat <&4; exit 0")
					cmd.Path = "/bin/sh"
					cmd.ExtraFiles = []*os.File{os.NewFile(3, "quiet"), r}
					check(cmd.Start())
					r.Close()
					time.Sleep(50 * time.Millisecond)
					quiet()
					cmd.Wait()
					w.Close()
				},
			},
		},
		{
			name: "dead manager and workers", want: []string{"socket"}, circle: 2,
			roles: map[string]func([]string){
				"top": func([]string) {
					l := must(net.Listen("tcp", "127.0.0.1:0"))
					for range 3 {
						child("worker", nil, l.Addr().String())
					}
					var all sync.WaitGroup
					for range 3 {
						c := must(l.Accept())
						all.Go(func() {
							c.Write([]byte("x"))
							quiet()
							io.Copy(io.Discard, c)
						})
					}
					all.Wait()
				},
				"worker": func(args []string) {
					c := must(net.Dial("tcp", args[0]))
					io.ReadFull(c, make([]byte, 1))
					quiet()
					io.Copy(io.Discard, c)
				},
			},
		},
	}
}
