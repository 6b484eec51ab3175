//go:build linux

package observe

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// itimer sets the interval timer by a raw call, as no library of ours would.
func itimer(value, interval time.Duration) {
	t := [2]unix.Timeval{unix.NsecToTimeval(int64(interval)), unix.NsecToTimeval(int64(value))}
	_, _, errno := unix.Syscall(unix.SYS_SETITIMER, 0, uintptr(unsafe.Pointer(&t)), 0)
	expect(errno == 0)
}

// hear returns a channel on which a signal comes.
func hear(s os.Signal) chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, s)
	return c
}

// posixTimer makes one that sends SIGALRM.
func posixTimer() int32 {
	var id int32
	_, _, errno := unix.Syscall(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, 0, uintptr(unsafe.Pointer(&id)))
	expect(errno == 0)
	return id
}

func setTimer(id int32, value, interval time.Duration) {
	t := unix.ItimerSpec{Interval: unix.NsecToTimespec(int64(interval)), Value: unix.NsecToTimespec(int64(value))}
	_, _, errno := unix.Syscall6(unix.SYS_TIMER_SETTIME, uintptr(id), 0, uintptr(unsafe.Pointer(&t)), 0, 0, 0)
	expect(errno == 0)
}

// wakes are programs that have set something by which they go on.
func liveWakes() []row {
	return append(liveRings(), []row{
		lives("alarm by a raw call", func() {
			c := hear(unix.SIGALRM)
			itimer(nap, 0)
			<-c
		}),
		lives("alarm of whole seconds", func() {
			c := hear(unix.SIGALRM)
			unix.Syscall(unix.SYS_ALARM, 1, 0, 0)
			<-c
		}),
		lives("alarm that rings again and again", func() {
			c := hear(unix.SIGALRM)
			itimer(nap, nap)
			for range 3 {
				<-c
			}
		}),
		lives("alarm set, taken back and set again", func() {
			c := hear(unix.SIGALRM)
			itimer(nap, 0)
			itimer(0, 0)
			itimer(nap, 0)
			<-c
		}),
		{name: "live alarm kept over exec", roles: map[string]func([]string){
			"top": func([]string) {
				cmd := child("execs", nil)
				cmd.Wait()
				expect(cmd.ProcessState.Sys() != nil && !cmd.ProcessState.Exited())
			},
			"execs": func([]string) {
				r, w := pipe()
				unix.Dup2(int(r.Fd()), 0)
				unix.FcntlInt(w.Fd(), unix.F_SETFD, 0)
				itimer(2*nap, 0)
				unix.Exec("/bin/cat", []string{"cat"}, nil)
			},
		}},
		{name: "live alarm of a child, its parent waits", roles: map[string]func([]string){
			"top": func([]string) {
				check(child("alarmed", nil).Wait())
			},
			"alarmed": func([]string) {
				c := hear(unix.SIGALRM)
				itimer(nap, 0)
				<-c
			},
		}},
		lives("alarm at a signalfd", func() {
			set := unix.Sigset_t{Val: [16]uint64{1 << (unix.SIGALRM - 1)}}
			fd := must(unix.Signalfd(-1, &set, unix.SFD_CLOEXEC))
			c := hear(unix.SIGALRM) // either may get it
			go func() {
				unix.Read(fd, make([]byte, 128))
				close(c)
			}()
			itimer(nap, 0)
			<-c
		}),
		lives("POSIX timer that rings again and again", func() {
			c := hear(unix.SIGALRM)
			setTimer(posixTimer(), nap, nap)
			for range 3 {
				<-c
			}
		}),
		lives("POSIX timer taken back and set again", func() {
			c := hear(unix.SIGALRM)
			id := posixTimer()
			setTimer(id, nap, 0)
			setTimer(id, 0, 0)
			setTimer(id, nap, 0)
			<-c
		}),
		script("perl keeps an alarm over exec", "perl", "-e", `
pipe(R, W); open(STDIN, "<&R"); use Fcntl; fcntl(W, F_SETFD, 0);
if (my $pid = fork) { waitpid $pid, 0; exit(($? & 127) != 14) } alarm 1; exec "cat"`),
		script("python keeps an alarm over exec", "python3", "-c", `
import os, signal
pid = os.fork()
if pid == 0:
    r, w = os.pipe(); os.dup2(r, 0); os.set_inheritable(w, True)
    signal.setitimer(signal.ITIMER_REAL, 0.5); os.execvp("cat", ["cat"])
assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGALRM`),
		script("python waits for an alarm in a lock", "python3", "-c", `
import signal, threading
def ring(*a): raise SystemExit
signal.signal(signal.SIGALRM, ring); signal.alarm(1)
threading.Lock().__enter__(); l = threading.Lock(); l.acquire(); l.acquire()`),
		inC("alarm by a raw call in C", `
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
static void ring(int s) {}
int main(void) { struct sigaction a = {0}; a.sa_handler = ring; sigaction(SIGALRM, &a, 0);
	syscall(SYS_alarm, 1); pause(); return 0; }`),
		inC("timer with a thread in C", `
#include <signal.h>
#include <time.h>
#include <unistd.h>
static int p[2];
static void ring(union sigval v) { write(p[1], "x", 1); }
int main(void) { struct sigevent e = {0}; timer_t t; struct itimerspec s = {{0, 0}, {0, 400000000}}; char c;
	e.sigev_notify = SIGEV_THREAD; e.sigev_notify_function = ring;
	if (pipe(p) || timer_create(CLOCK_MONOTONIC, &e, &t) || timer_settime(t, 0, &s, 0)) return 1;
	return read(p[0], &c, 1) != 1; }`),
		inC("alarm by the gate of 32-bit programs in C", `
#include <signal.h>
#include <unistd.h>
static void ring(int s) {}
int main(void) { struct sigaction a = {0}; int r; a.sa_handler = ring; sigaction(SIGALRM, &a, 0);
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(27), "b"(1) : "memory");
	if (r < 0) return 0; /* a kernel without that gate */
	pause(); return 0; }`),
		{name: "live O_ASYNC on a FIFO held outside", roles: map[string]func([]string){"top": func(args []string) {
			c := hear(unix.SIGIO)
			fd := must(unix.Open(args[0], unix.O_RDWR|unix.O_NONBLOCK, 0))
			must(unix.FcntlInt(uintptr(fd), unix.F_SETOWN, os.Getpid()))
			must(unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_RDWR|unix.O_NONBLOCK|unix.O_ASYNC))
			<-c
		}}, outside: func(t testing.TB) ([]string, []*os.File) {
			path := fifo(t)
			f := must(os.OpenFile(path, os.O_RDWR, 0))
			again(func() { f.Write([]byte("x")) })
			return []string{path}, nil
		}},
		{name: "live FIOASYNC on a socket to outside", roles: map[string]func([]string){"top": func([]string) {
			c := hear(unix.SIGUSR2)
			must(unix.FcntlInt(4, unix.F_SETSIG, int(unix.SIGUSR2)))
			must(unix.FcntlInt(4, unix.F_SETOWN, os.Getpid()))
			check(unix.IoctlSetPointerInt(4, 0x5452, 1))
			<-c
		}}, outside: func(t testing.TB) ([]string, []*os.File) {
			a, b := socketpair()
			again(func() { b.Write([]byte("x")) })
			return nil, []*os.File{a}
		}},
		{name: "live folder that tells of changes by a signal", roles: map[string]func([]string){"top": func(args []string) {
			c := hear(unix.SIGIO)
			fd := must(unix.Open(args[0], unix.O_RDONLY, 0))
			const dnCreate = 4
			must(unix.FcntlInt(uintptr(fd), unix.F_NOTIFY, dnCreate))
			<-c
		}}, outside: func(t testing.TB) ([]string, []*os.File) {
			dir := t.TempDir()
			again(func() { os.WriteFile(filepath.Join(dir, fmt.Sprint(time.Now().UnixNano())), nil, 0o600) })
			return []string{dir}, nil
		}},
		{name: "live lease that is broken outside", roles: map[string]func([]string){"top": func(args []string) {
			c := hear(unix.SIGIO)
			fd := must(unix.Open(args[0], unix.O_RDWR|unix.O_CREAT, 0o600))
			must(unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_WRLCK))
			<-c
		}}, outside: func(t testing.TB) ([]string, []*os.File) {
			path := filepath.Join(t.TempDir(), "x")
			again(func() {
				if fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK, 0); err == nil {
					unix.Close(fd)
				}
			})
			return []string{path}, nil
		}},
	}...)
}

func fifo(t testing.TB) string {
	path := filepath.Join(t.TempDir(), "fifo")
	check(unix.Mkfifo(path, 0o600))
	return path
}

// inC is a live row with a program in C in the tree.
func inC(name, source string) row {
	return row{name: "live " + name, needs: "gcc", roles: map[string]func([]string){"top": func([]string) {
		program := inFolder("program")
		cc := exec.Command("gcc", "-pthread", "-x", "c", "-o", program, "-", "-lrt")
		in := must(cc.StdinPipe())
		check(cc.Start())
		io.WriteString(in, source)
		in.Close()
		check(cc.Wait())
		cmd := exec.Command(program)
		cmd.Stderr = os.Stderr
		check(cmd.Run())
	}}}
}

// byHand sends a signal after two naps to the process whose number comes through the
// pipe that the row gets.
func byHand(s unix.Signal) func(t testing.TB) ([]string, []*os.File) {
	return func(t testing.TB) ([]string, []*os.File) {
		r, w := pipe()
		go func() {
			b := make([]byte, 16)
			n, _ := r.Read(b)
			r.Close()
			pid, err := strconv.Atoi(string(b[:n]))
			if err != nil {
				return
			}
			start, _ := startOf(pid)
			for range 50 {
				time.Sleep(2 * nap)
				if now, ok := startOf(pid); !ok || now != start {
					return
				}
				unix.Kill(pid, s)
			}
		}()
		return nil, []*os.File{w}
	}
}

// startOf is when a process began.
func startOf(pid int) (start uint64, ok bool) {
	b, err := readLine("/proc/"+strconv.Itoa(pid)+"/stat", nil)
	if err != nil {
		return 0, false
	}
	s, err := parseStat(b)
	return s.start, err == nil
}
