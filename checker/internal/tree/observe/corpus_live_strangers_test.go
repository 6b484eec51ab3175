//go:build linux

package observe

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// later is what a stranger does two naps on, to what the row gets by name.
func later(name func(t testing.TB) string, do func(name string)) func(t testing.TB) ([]string, []*os.File) {
	return func(t testing.TB) ([]string, []*os.File) {
		n := name(t)
		again(func() { do(n) })
		return []string{n}, nil
	}
}

// again does something three naps on, and then every nap: on a loaded machine the row
// may not have got to where it waits.
func again(do func()) {
	go func() {
		time.Sleep(2 * nap)
		for range 100 {
			time.Sleep(nap)
			do()
		}
	}()
}

func inTemp(t testing.TB) string { return filepath.Join(t.TempDir(), "it") }

// unused is a name that nobody else uses.
func unused(t testing.TB) string {
	return fmt.Sprintf("@prokata-%d-%d", os.Getpid(), time.Now().UnixNano())
}

// freePort is an address at which nobody listens.
func freePort(t testing.TB) string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	return l.Addr().String()
}

// key is a System V key that nobody else uses.
func key(t testing.TB) string { return strconv.Itoa(int(time.Now().UnixNano() & 0x3fffffff)) }

func dial(network string) func(string) {
	return func(name string) {
		if c, err := net.Dial(network, name); err == nil {
			c.Write([]byte("x"))
			c.Close()
		}
	}
}

// only is a row with one role, and a stranger.
func only(name string, outside func(t testing.TB) ([]string, []*os.File), f func(args []string)) row {
	return row{name: "live " + name, outside: outside, roles: map[string]func([]string){"top": f}}
}

// liveStrangers wait at an address to which a program comes that is not there yet.
func liveStrangers() []row {
	accept := func(network string) func([]string) {
		return func(args []string) { must(must(net.Listen(network, args[0])).Accept()) }
	}
	receive := func(network string) func([]string) {
		return func(args []string) {
			_, _, err := must(net.ListenPacket(network, args[0])).ReadFrom(make([]byte, 8))
			check(err)
		}
	}
	tell := func() {
		unix.Write(4, []byte(strconv.Itoa(os.Getpid())))
		unix.Close(4)
	}
	return []row{
		only("late client, TCP", later(freePort, dial("tcp")), accept("tcp")),
		only("late client, unix", later(inTemp, dial("unix")), accept("unix")),
		only("late client, abstract name", later(unused, dial("unix")), accept("unix")),
		only("late sender, UDP", later(freePort, dial("udp")), receive("udp")),
		only("late sender, unix", later(inTemp, dial("unixgram")), receive("unixgram")),
		only("late sender, abstract name", later(unused, dial("unixgram")), receive("unixgram")),
		{name: "live late client of a child", outside: later(freePort, dial("tcp")), roles: map[string]func([]string){
			"top":    func(args []string) { check(child("server", nil, args[0]).Wait()) },
			"server": accept("tcp"),
		}},
		only("FIFO opened for both, and outside later", later(fifo, func(path string) {
			if f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0); err == nil {
				f.Write([]byte("x"))
				f.Close()
			}
		}), func(args []string) {
			fd := must(unix.Open(args[0], unix.O_RDWR, 0))
			must(unix.Read(fd, make([]byte, 1)))
		}),
		only("FIFO polled, and opened outside later", later(fifo, func(path string) {
			if f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0); err == nil {
				f.Write([]byte("x"))
				f.Close()
			}
		}), func(args []string) { must(must(os.OpenFile(args[0], os.O_RDWR, 0)).Read(make([]byte, 1))) }),
		only("FIFO whose writer comes later", later(fifo, func(path string) {
			if fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK, 0); err == nil {
				unix.Close(fd)
			}
		}), func(args []string) { must(unix.Open(args[0], unix.O_RDONLY, 0)) }),
		only("FIFO whose reader comes later", later(fifo, func(path string) {
			if fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK, 0); err == nil {
				unix.Close(fd)
			}
		}), func(args []string) { must(unix.Open(args[0], unix.O_WRONLY, 0)) }),
		only("mapped file that is mapped outside later", later(func(t testing.TB) string {
			path := inTemp(t)
			check(os.WriteFile(path, make([]byte, 4096), 0o600))
			return path
		}, wakeWord), func(args []string) {
			fd := must(unix.Open(args[0], unix.O_RDWR, 0))
			b := must(unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED))
			unix.Close(fd)
			futexWait((*uint64)(unsafe.Pointer(&b[0])), nil)
		}),
		only("memory whose file is held outside, and mapped later", func(t testing.TB) ([]string, []*os.File) {
			f := memory()
			mine := must(unix.Dup(int(f.Fd())))
			again(func() { wakeWord(fmt.Sprintf("/proc/self/fd/%d", mine)) })
			return nil, []*os.File{f}
		}, func([]string) { futexWait(&words()[0], nil) }),
		only("folder in which something is made later", later(func(t testing.TB) string { return t.TempDir() }, func(dir string) {
			os.WriteFile(filepath.Join(dir, "x"), nil, 0o600)
		}), func(args []string) {
			fd := must(unix.InotifyInit1(unix.IN_CLOEXEC))
			must(unix.InotifyAddWatch(fd, args[0], unix.IN_CREATE))
			must(unix.Read(fd, make([]byte, 4096)))
		}),
		only("semaphore of a key", later(key, func(key string) {
			id, _, errno := unix.Syscall(unix.SYS_SEMGET, uintptr(must(strconv.Atoi(key))), 1, 0)
			if errno != 0 {
				return
			}
			unix.Syscall(unix.SYS_SEMOP, id, uintptr(unsafe.Pointer(&sembuf{op: 1})), 1)
		}), func(args []string) {
			id, _, errno := unix.Syscall(unix.SYS_SEMGET, uintptr(must(strconv.Atoi(args[0]))), 1, 0o1600)
			expect(errno == 0)
			unix.Syscall(unix.SYS_SEMOP, id, uintptr(unsafe.Pointer(&sembuf{op: -1})), 1)
			unix.Syscall6(unix.SYS_SEMCTL, id, 0, unix.IPC_RMID, 0, 0, 0)
		}),
		only("message queue of a key", later(key, func(key string) {
			id, _, errno := unix.Syscall(unix.SYS_MSGGET, uintptr(must(strconv.Atoi(key))), 0, 0)
			if errno != 0 {
				return
			}
			unix.Syscall6(unix.SYS_MSGSND, id, uintptr(unsafe.Pointer(&[2]uint64{1})), 8, 0, 0, 0)
		}), func(args []string) {
			id, _, errno := unix.Syscall(unix.SYS_MSGGET, uintptr(must(strconv.Atoi(args[0]))), 0o1600, 0)
			expect(errno == 0)
			var message [2]uint64
			unix.Syscall6(unix.SYS_MSGRCV, id, uintptr(unsafe.Pointer(&message)), 8, 0, 0, 0)
			unix.Syscall(unix.SYS_MSGCTL, id, unix.IPC_RMID, 0)
		}),
		only("POSIX message queue of a name", later(unused, func(name string) {
			fd, ok := mqTry(name, unix.O_WRONLY|unix.O_NONBLOCK)
			if !ok {
				return
			}
			b := []byte("x")
			unix.Syscall6(unix.SYS_MQ_TIMEDSEND, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), 1, 0, 0, 0)
			unix.Close(fd)
		}), func(args []string) {
			fd := mqOpen(args[0], unix.O_RDONLY|unix.O_CREAT)
			mqReceive(fd)
			name := append([]byte(args[0]), 0)
			unix.Syscall(unix.SYS_MQ_UNLINK, uintptr(unsafe.Pointer(&name[0])), 0, 0)
		}),
		{name: "live continued by hand", outside: byHand(unix.SIGCONT), roles: map[string]func([]string){
			"top": func([]string) { check(child("stops", []*os.File{os.NewFile(4, "hand")}).Wait()) },
			"stops": func([]string) {
				tell()
				unix.Kill(os.Getpid(), unix.SIGSTOP)
			},
		}},
		only("a message by hand", byHand(unix.SIGUSR1), func([]string) {
			c := hear(unix.SIGUSR1)
			tell()
			<-c
		}),
		only("told to end by hand", byHand(unix.SIGTERM), func([]string) {
			c := hear(unix.SIGTERM)
			tell()
			<-c
		}),
		only("a message by hand, beside a channel", byHand(unix.SIGUSR2), func([]string) {
			c := make(chan os.Signal, 1)
			signal.Notify(c, unix.SIGUSR2, unix.SIGTERM)
			done := make(chan bool)
			go func() {
				<-c
				close(done)
			}()
			tell()
			<-done
		}),
	}
}

// wakeWord maps a file and wakes who waits for its first word.
func wakeWord(path string) {
	fd, err := unix.Open(path, unix.O_RDWR, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	b, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return
	}
	b[0] = 1 // who comes later does not sleep
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&b[0])), 1, 100, 0, 0, 0)
	unix.Munmap(b)
}

// A sembuf is struct sembuf.
type sembuf struct {
	num       uint16
	op, flags int16
}

func mqTry(name string, flags int) (fd int, ok bool) {
	b := append([]byte(name), 0)
	n, _, errno := unix.Syscall6(unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(&b[0])), uintptr(flags), 0o600, 0, 0, 0)
	return int(n), errno == 0
}

func mqOpen(name string, flags int) int {
	fd, ok := mqTry(name, flags)
	expect(ok)
	return fd
}

func mqReceive(fd int) {
	b := make([]byte, 8192)
	unix.Syscall6(unix.SYS_MQ_TIMEDRECEIVE, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0, 0)
}
