//go:build linux

package observe

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// nap is how long a live tree looks dead: longer than a verdict takes.
const nap = 250 * time.Millisecond

// lives is a row whose first process does all.
func lives(name string, f func()) row {
	return row{name: "live " + name, roles: map[string]func([]string){"top": func([]string) { f() }}}
}

// endures is one that has no end.
func endures(name string, f func()) row {
	r := lives(name, f)
	r.endless = true
	return r
}

// openly is one whose addresses are the machine's.
func openly(name string, f func()) row {
	r := endures(name, f)
	r.open = true
	return r
}

func liveRows() []row {
	rows := []row{
		lives("sleep", func() { time.Sleep(nap) }),
		lives("context timeout", func() {
			ctx, cancel := context.WithTimeout(context.Background(), nap)
			defer cancel()
			<-ctx.Done()
		}),
		lives("read deadline on a pipe", func() {
			r, _ := pipe()
			check(r.SetReadDeadline(time.Now().Add(nap)))
			_, err := r.Read(make([]byte, 1))
			expect(errors.Is(err, os.ErrDeadlineExceeded))
		}),
		lives("read deadline on a socket", func() {
			l := must(net.Listen("tcp", "127.0.0.1:0"))
			c := must(net.Dial("tcp", l.Addr().String()))
			check(c.SetReadDeadline(time.Now().Add(nap)))
			_, err := c.Read(make([]byte, 1))
			expect(errors.Is(err, os.ErrDeadlineExceeded))
		}),
		endures("timer far away", func() { <-time.After(time.Hour) }),
		endures("timer beside a deadlock", func() {
			time.AfterFunc(time.Hour, func() {})
			<-make(chan int)
		}),
		endures("timer of exactly a minute", func() { <-time.After(time.Minute) }),
		lives("futex with a timeout", func() {
			var word uint64
			t := unix.NsecToTimespec(int64(nap))
			futexWait(&word, &t)
		}),
		endures("futex with a timeout of a minute", func() {
			word := new(uint64)
			for {
				t := unix.NsecToTimespec(int64(time.Minute))
				unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), 128, 0, uintptr(unsafe.Pointer(&t)), 0, 0)
			}
		}),
		lives("poll with a timeout", func() {
			r, _ := pipe()
			unix.Poll([]unix.PollFd{{Fd: int32(r.Fd()), Events: unix.POLLIN}}, int(nap/time.Millisecond))
		}),
		lives("select with a timeout", func() {
			r, _ := pipe()
			var set unix.FdSet
			set.Set(int(r.Fd()))
			t := unix.NsecToTimeval(int64(nap))
			unix.Select(int(r.Fd())+1, &set, nil, nil, &t)
		}),
		lives("sigtimedwait with a timeout", func() {
			set := [1]uint64{1 << (unix.SIGUSR1 - 1)}
			t := unix.NsecToTimespec(int64(nap))
			unix.Syscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&set)), 0, uintptr(unsafe.Pointer(&t)), 8, 0, 0)
		}),
		lives("nanosleep", func() {
			t := unix.NsecToTimespec(int64(nap))
			check(unix.Nanosleep(&t, nil))
		}),
		lives("timerfd", func() {
			fd := must(unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC))
			check(unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(nap))}, nil))
			must(unix.Read(fd, make([]byte, 8)))
		}),
		lives("POSIX timer", func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, unix.SIGALRM)
			var id int32
			_, _, e := unix.Syscall(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, 0, uintptr(unsafe.Pointer(&id)))
			expect(e == 0)
			spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(nap))}
			_, _, e = unix.Syscall6(unix.SYS_TIMER_SETTIME, uintptr(id), 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
			expect(e == 0)
			<-c
		}),
		lives("socket option for a timeout", func() {
			a, _ := socketpair()
			tv := unix.NsecToTimeval(int64(nap))
			check(unix.SetsockoptTimeval(int(a.Fd()), unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv))
			unix.Read(int(a.Fd()), make([]byte, 1))
		}),
		lives("garbage collection", func() {
			var keep [100][]byte
			i := 0
			for end := time.Now().Add(nap); time.Now().Before(end); i++ {
				keep[i%100] = make([]byte, 1<<16)
				runtime.GC()
			}
		}),
		endures("spinning", func() {
			for i := 0; ; i++ {
				runtime.KeepAlive(i)
			}
		}),
		endures("inotify", func() {
			fd := must(unix.InotifyInit1(unix.IN_CLOEXEC))
			must(unix.InotifyAddWatch(fd, os.TempDir(), unix.IN_ATTRIB))
			unix.Read(fd, make([]byte, 4096))
		}),
		openly("listener that strangers can reach", func() { must(net.Listen("tcp", ":0")).Accept() }),
		openly("UDP", func() {
			c := must(net.ListenPacket("udp", "127.0.0.1:0"))
			c.ReadFrom(make([]byte, 1))
		}),
	}
	return slices.Concat(rows, liveTrees(), liveWakes(), liveStrangers())
}

func expect(ok bool) {
	if !ok {
		check(errors.New("it went otherwise than expected"))
	}
}

// sleepThen is a role that does something after a nap.
func sleepThen(f func(args []string)) func([]string) {
	return func(args []string) {
		time.Sleep(nap)
		f(args)
	}
}

func liveTrees() []row {
	stopped := func(wake unix.Signal) map[string]func([]string) {
		return map[string]func([]string){
			"top": func([]string) {
				c := child("sleeper", nil)
				check(c.Wait())
			},
			"sleeper": func([]string) {
				c := make(chan os.Signal, 1)
				signal.Notify(c, wake)
				child("waker", nil, strconv.Itoa(os.Getpid()))
				if wake == unix.SIGCONT {
					unix.Kill(os.Getpid(), unix.SIGSTOP)
				}
				<-c
			},
			"waker": sleepThen(func(args []string) { check(unix.Kill(must(strconv.Atoi(args[0])), wake)) }),
		}
	}
	return []row{
		{name: "live stopped and continued", roles: stopped(unix.SIGCONT)},
		{name: "live about to be signalled", roles: stopped(unix.SIGUSR1)},
		{name: "live slow server inside", roles: map[string]func([]string){
			"top": func([]string) {
				l := must(net.Listen("tcp", "127.0.0.1:0"))
				child("client", nil, l.Addr().String())
				c := must(l.Accept())
				time.Sleep(nap)
				c.Write([]byte("x"))
				unix.Wait4(-1, nil, 0, nil)
			},
			"client": func(args []string) {
				c := must(net.Dial("tcp", args[0]))
				must(c.Read(make([]byte, 1)))
			},
		}},
		{name: "live slow server outside, TCP", outside: server("tcp", "127.0.0.1:0"), roles: client("tcp")},
		{name: "live slow server outside, unix", outside: server("unix", ""), roles: client("unix")},
		{name: "live slow pipe from outside", roles: map[string]func([]string){
			"top": func([]string) { must(os.NewFile(4, "pipe").Read(make([]byte, 1))) },
		}, outside: func(t testing.TB) ([]string, []*os.File) {
			r, w := pipe()
			time.AfterFunc(2*nap, func() { w.Write([]byte("x")); w.Close() })
			return nil, []*os.File{r}
		}},
		{name: "live full pipe to outside", roles: map[string]func([]string){
			"top": func([]string) { must(unix.Write(4, make([]byte, 1<<17))) },
		}, outside: func(t testing.TB) ([]string, []*os.File) {
			r, w := pipe()
			time.AfterFunc(2*nap, func() { io.Copy(io.Discard, r); r.Close() })
			return nil, []*os.File{w}
		}},
		{name: "live socket pair to outside", roles: map[string]func([]string){
			"top": func([]string) { must(unix.Read(4, make([]byte, 1))) },
		}, outside: func(t testing.TB) ([]string, []*os.File) {
			a, b := socketpair()
			time.AfterFunc(2*nap, func() { b.Write([]byte("x")); b.Close() })
			return nil, []*os.File{a}
		}},
		{name: "live event from outside", roles: map[string]func([]string){
			"top": func([]string) { must(unix.Read(4, make([]byte, 8))) },
		}, outside: func(t testing.TB) ([]string, []*os.File) {
			f := os.NewFile(uintptr(must(unix.Eventfd(0, unix.EFD_CLOEXEC))), "event")
			mine := must(unix.Dup(int(f.Fd())))
			time.AfterFunc(2*nap, func() { unix.Write(mine, []byte{1, 0, 0, 0, 0, 0, 0, 0}); unix.Close(mine) })
			return nil, []*os.File{f}
		}},
		{name: "live memory shared with outside", roles: map[string]func([]string){
			"top": func([]string) { futexWait(&words()[0], nil) },
		}, outside: func(t testing.TB) ([]string, []*os.File) {
			f := memory()
			b := must(unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED))
			time.AfterFunc(2*nap, func() {
				b[0] = 1 // who comes later does not sleep
				unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&b[0])), 1, 100, 0, 0, 0)
			})
			return nil, []*os.File{f}
		}},
		{name: "live lock held outside", outside: lockHolder(func(f *os.File) error { return flock(f) }), roles: map[string]func([]string){
			"top": func(args []string) { check(flock(must(os.OpenFile(args[0], os.O_RDWR, 0)))) },
		}},
		{name: "live POSIX lock held outside", outside: lockHolder(func(f *os.File) error { return fcntlLock(f, unix.F_SETLKW) }), roles: map[string]func([]string){
			"top": func(args []string) {
				check(fcntlLock(must(os.OpenFile(args[0], os.O_RDWR, 0)), unix.F_SETLKW))
			},
		}},
		{name: "live open file with a lock shared with outside", roles: map[string]func([]string){
			"top": func(args []string) {
				check(flock(os.NewFile(4, "lock"))) // ours, and the one outside's
				unix.Close(5)
				check(flock(must(os.OpenFile(args[0], os.O_RDWR, 0))))
			},
		}, outside: func(t testing.TB) ([]string, []*os.File) {
			path := filepath.Join(t.TempDir(), "lock")
			f := must(os.Create(path))
			mine := must(unix.Dup(int(f.Fd())))
			r, w := pipe()
			go func() {
				io.Copy(io.Discard, r) // until it is locked
				time.Sleep(2 * nap)
				unix.Flock(mine, unix.LOCK_UN)
				unix.Close(mine)
				r.Close()
			}()
			return []string{path}, []*os.File{f, w}
		}},
		{name: "live waits for a process outside", roles: map[string]func([]string){
			"top": func([]string) {
				must(unix.Poll([]unix.PollFd{{Fd: 4, Events: unix.POLLIN}}, -1))
			},
		}, outside: func(t testing.TB) ([]string, []*os.File) {
			cmd := command("corpus-sleeper")
			check(cmd.Start())
			go cmd.Wait()
			return nil, []*os.File{os.NewFile(uintptr(must(unix.PidfdOpen(cmd.Process.Pid, 0))), "process")}
		}},
		{
			name: "live partial deadlock", endless: true, outside: func(t testing.TB) ([]string, []*os.File) { return []string{t.TempDir()}, nil },
			roles: map[string]func([]string){
				"top": func(args []string) {
					child("stuck", nil, args[0])
					for {
						time.Sleep(time.Millisecond)
					}
				},
				"stuck": func(args []string) {
					a, b := must(os.Create(args[0]+"/l")), must(os.Create(args[0]+"/l"))
					check(flock(a))
					check(flock(b))
				},
			},
		},
		script("python sleeps", "python3", "-c", "import time; time.sleep(0.4)"),
		script("python reads with a timeout", "python3", "-c", `
import socket
a, b = socket.socketpair()
a.settimeout(0.4)
try: a.recv(1)
except TimeoutError: pass`),
		script("python waits for an alarm", "python3", "-c", `
import signal
signal.signal(signal.SIGALRM, lambda *a: None)
signal.setitimer(signal.ITIMER_REAL, 0.4)
signal.pause()`),
		script("shell sleeps", "sh", "-c", "sleep 0.4; exit 0"),
		script("shell waits for its jobs", "sh", "-c", "sleep 0.3 & sleep 0.4 & wait"),
	}
}

// script is a row with a program of another language in the tree.
func script(name, program string, args ...string) row {
	return row{name: "live " + name, needs: program, roles: map[string]func([]string){
		"top": func([]string) {
			cmd := exec.Command(program, args...)
			cmd.Stderr = os.Stderr
			check(cmd.Run())
		},
	}}
}

// lockHolder holds a lock, in a process of its own, for two naps.
func lockHolder(lock func(*os.File) error) func(t testing.TB) ([]string, []*os.File) {
	return func(t testing.TB) ([]string, []*os.File) {
		path := filepath.Join(t.TempDir(), "lock")
		kind := "flock"
		if f, err := os.Create(path); err == nil {
			lock(f)
			if held, _ := read("/proc/self/fdinfo/"+strconv.Itoa(int(f.Fd())), nil); len(parseHeldLocks(held)) > 0 {
				kind = parseHeldLocks(held)[0].Kind
			}
			f.Close()
		}
		cmd := command("corpus-lock", path, kind)
		start(t, cmd)
		return []string{path}, nil
	}
}

// server answers every client after two naps, outside of the tree.
func server(network, address string) func(t testing.TB) ([]string, []*os.File) {
	return func(t testing.TB) ([]string, []*os.File) {
		if network == "unix" {
			address = filepath.Join(t.TempDir(), "s")
		}
		l := must(net.Listen(network, address))
		t.Cleanup(func() { l.Close() })
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			time.Sleep(2 * nap)
			c.Write([]byte("x"))
			c.Close()
		}()
		return []string{l.Addr().String()}, nil
	}
}

func client(network string) map[string]func([]string) {
	return map[string]func([]string){"top": func(args []string) {
		c := must(net.Dial(network, args[0]))
		must(c.Read(make([]byte, 1)))
	}}
}
