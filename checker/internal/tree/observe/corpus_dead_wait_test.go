//go:build linux

package observe

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// deadWaits wait in calls that not every program knows, or had set something once by
// which they would have gone on.
func deadWaits() []row {
	return []row{
		alone("dead System V semaphore", "semaphore", 0, func() {
			id, _, errno := unix.Syscall(unix.SYS_SEMGET, 0, 1, 0o600)
			expect(errno == 0)
			quiet()
			unix.Syscall(unix.SYS_SEMOP, id, uintptr(unsafe.Pointer(&sembuf{op: -1})), 1)
		}),
		alone("dead System V semaphore without a timeout", "semaphore", 0, func() {
			id, _, errno := unix.Syscall(unix.SYS_SEMGET, 0, 1, 0o600)
			expect(errno == 0)
			quiet()
			unix.Syscall6(unix.SYS_SEMTIMEDOP, id, uintptr(unsafe.Pointer(&sembuf{op: -1})), 1, 0, 0, 0)
		}),
		alone("dead System V message queue", "queue", 0, func() {
			id, _, errno := unix.Syscall(unix.SYS_MSGGET, 0, 0o600, 0)
			expect(errno == 0)
			var message [2]uint64
			quiet()
			unix.Syscall6(unix.SYS_MSGRCV, id, uintptr(unsafe.Pointer(&message)), 8, 0, 0, 0)
		}),
		alone("dead full System V message queue", "queue", 0, func() {
			id, _, errno := unix.Syscall(unix.SYS_MSGGET, 0, 0o600, 0)
			expect(errno == 0)
			message := [1024]uint64{1}
			quiet()
			for {
				unix.Syscall6(unix.SYS_MSGSND, id, uintptr(unsafe.Pointer(&message)), 8000, 0, 0, 0)
			}
		}),
		{name: "dead POSIX message queue", want: []string{"child", "queue"}, roles: map[string]func([]string){
			"top": func([]string) {
				c := child("receiver", nil)
				quiet()
				c.Wait()
			},
			"receiver": func([]string) {
				fd := mqOpen("prokata", unix.O_RDONLY|unix.O_CREAT)
				quiet()
				mqReceive(fd)
			},
		}},
		alone("dead FIFO without a writer", "pipe", 0, func() {
			check(unix.Mkfifo(inFolder("fifo"), 0o600))
			quiet()
			unix.Open(inFolder("fifo"), unix.O_RDONLY, 0)
		}),
		{name: "dead FIFOs in two orders", want: []string{"pipe"}, roles: map[string]func([]string){
			"top": func([]string) {
				check(unix.Mkfifo(inFolder("a"), 0o600))
				check(unix.Mkfifo(inFolder("b"), 0o600))
				child("other", nil)
				quiet()
				unix.Open(inFolder("a"), unix.O_WRONLY, 0)
			},
			"other": func([]string) {
				quiet()
				unix.Open(inFolder("b"), unix.O_RDONLY, 0)
			},
		}},
		alone("dead FIFO opened for both", "pipe", 1, func() {
			check(unix.Mkfifo(inFolder("fifo"), 0o600))
			fd := must(unix.Open(inFolder("fifo"), unix.O_RDWR, 0))
			quiet()
			unix.Read(fd, make([]byte, 1))
		}),
		alone("dead inotify", "file", 0, func() {
			fd := must(unix.InotifyInit1(unix.IN_CLOEXEC))
			must(unix.InotifyAddWatch(fd, inFolder(""), unix.IN_CREATE|unix.IN_OPEN))
			quiet()
			unix.Read(fd, make([]byte, 4096))
		}),
		alone("dead unix datagrams", "socket", 0, func() {
			c := must(net.ListenPacket("unixgram", inFolder("s")))
			quiet()
			c.ReadFrom(make([]byte, 1))
		}),
		alone("dead unix datagrams, abstract name", "socket", 0, func() {
			c := must(net.ListenPacket("unixgram", fmt.Sprintf("@prokata-%d", os.Getpid())))
			quiet()
			c.ReadFrom(make([]byte, 1))
		}),
		{name: "dead pair of datagram sockets", want: []string{"child", "socket"}, circle: 2, roles: map[string]func([]string){
			"top": func([]string) {
				fds := must(unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0))
				c := child("reader", []*os.File{os.NewFile(uintptr(fds[1]), "b")})
				unix.Close(fds[1])
				quiet()
				c.Wait()
				unix.Close(fds[0])
			},
			"reader": func([]string) {
				quiet()
				unix.Read(4, make([]byte, 1))
			},
		}},
		alone("dead UDP", "socket", 0, func() {
			c := must(net.ListenPacket("udp", "127.0.0.1:0"))
			quiet()
			c.ReadFrom(make([]byte, 1))
		}),
		alone("dead listener", "socket", 0, func() {
			l := must(net.Listen("tcp", ":0"))
			quiet()
			l.Accept()
		}),
		alone("dead unix listener", "socket", 0, func() {
			l := must(net.Listen("unix", inFolder("s")))
			quiet()
			l.Accept()
		}),
		alone("dead futex_waitv", "futex", 0, func() {
			b := must(unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANON))
			// struct futex_waitv: value, address, flags (2: 32 bits)
			list := [2][3]uint64{{0, uint64(uintptr(unsafe.Pointer(&b[0]))), 2}, {0, uint64(uintptr(unsafe.Pointer(&b[8]))), 2}}
			quiet()
			unix.Syscall6(unix.SYS_FUTEX_WAITV, uintptr(unsafe.Pointer(&list)), 2, 0, 0, 0, 0)
		}),
		alone("dead futex in a file of the folder", "futex", 0, func() {
			f := must(os.Create(inFolder("words")))
			check(f.Truncate(4096))
			b := must(unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED))
			quiet()
			futexWait((*uint64)(unsafe.Pointer(&b[0])), nil)
		}),
		alone("dead io_uring_enter", "ring", 0, func() {
			r := newRing()
			quiet()
			unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), 0, 1, ringGetEvents, 0, 0)
		}),
		alone("dead alarm that was taken back", "goroutine", 0, func() {
			itimer(time.Hour, 0)
			itimer(0, 0)
			quiet()
			<-make(chan int)
		}),
		alone("dead alarm in a signal mask of its own, taken back", "signal", 0, func() {
			c := hear(unix.SIGALRM)
			itimer(time.Hour, time.Hour)
			itimer(0, 0)
			quiet()
			<-c
		}),
		slowly(alone("dead alarm that has rung", "signal", 0, func() {
			c := hear(unix.SIGALRM)
			itimer(nap, 0)
			<-c
			quiet()
			<-make(chan int)
		})),
		alone("dead POSIX timer that was taken back", "goroutine", 0, func() {
			id := posixTimer()
			setTimer(id, time.Hour, 0)
			setTimer(id, 0, 0)
			quiet()
			<-make(chan int)
		}),
		alone("dead POSIX timer that was never set", "goroutine", 0, func() {
			posixTimer()
			quiet()
			<-make(chan int)
		}),
		alone("dead timer of processor time", "goroutine", 0, func() {
			t := [2]unix.Timeval{{}, {Sec: 1000}}
			_, _, errno := unix.Syscall(unix.SYS_SETITIMER, 1, uintptr(unsafe.Pointer(&t)), 0) // ITIMER_VIRTUAL
			expect(errno == 0)
			quiet()
			<-make(chan int)
		}),
		alone("dead O_ASYNC that was taken back", "goroutine", 0, func() {
			r, _ := pipe()
			fd := r.Fd()
			must(unix.FcntlInt(fd, unix.F_SETFL, unix.O_ASYNC))
			must(unix.FcntlInt(fd, unix.F_SETFL, 0))
			quiet()
			<-make(chan int)
		}),
		deadScript("dead python in a lock", "futex", "python3", "-c", `
import os, threading
l = threading.Lock(); l.acquire(); l.acquire()`),
		deadScript("dead python at its own pipe", "pipe", "python3", "-c", `
import os
r, w = os.pipe(); os.read(r, 1)`),
		deadScript("dead python in its multiprocessing", "futex", "python3", "-c", `
import multiprocessing as m
def f(a, b):
    with a:
        e.wait()
        with b: pass
m.set_start_method("fork")
a, b, e = m.Lock(), m.Lock(), m.Barrier(2)
p = [m.Process(target=f, args=x) for x in ((a, b), (b, a))]
[x.start() for x in p]; [x.join() for x in p]`),
		deadScript("dead perl that waits for its child", "pipe", "perl", "-e", `
pipe(R, W); if (my $pid = fork) { close R; waitpid $pid, 0; print W "x" } else { close W; <R> }`),
	}
}

// slowly is a row that is called only after a while.
func slowly(r row) row {
	r.slow = true
	return r
}

// deadScript is a program of another language that falls asleep for ever. Nobody says
// when it does.
func deadScript(name, kind, program string, args ...string) row {
	r := row{name: name, want: []string{"child", kind}, needs: program, slow: true, circle: -1}
	r.roles = map[string]func([]string){"top": func([]string) {
		cmd := exec.Command(program, args...)
		cmd.Stderr = os.Stderr
		quiet()
		cmd.Run()
	}}
	return r
}

// nobodyAccepts: the answer never comes, as the server waits for its client.
func nobodyAccepts(name, network string, address func() string) row {
	return row{
		name: name, want: []string{"child", "socket"}, circle: 2,
		roles: map[string]func([]string){
			"top": func([]string) {
				l := must(net.Listen(network, address()))
				c := child("client", nil, l.Addr().String())
				quiet()
				c.Wait()
				l.Close()
			},
			"client": func(args []string) {
				c := must(net.Dial(network, args[0]))
				quiet()
				io.Copy(io.Discard, c)
			},
		},
	}
}
