//go:build linux

package observe

import (
	"encoding/binary"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Of the kernel's include/uapi/linux/io_uring.h.
const (
	ringTimeout, ringWrite, ringPoll = 11, 23, 6
	ringHardLink                     = 1 << 3
	ringRegisterEvent                = 4
	ringGetEvents                    = 1
)

// A ring is an io_uring of 8 entries.
type ring struct {
	fd     int
	params [120]byte // struct io_uring_params
	queue  []byte
	slots  []byte
}

func newRing() *ring {
	r := &ring{}
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 8, uintptr(unsafe.Pointer(&r.params)), 0)
	if errno != 0 {
		check(errno)
	}
	r.fd = int(fd)
	const atSlots = 0x10000000
	r.queue = must(unix.Mmap(r.fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE))
	r.slots = must(unix.Mmap(r.fd, atSlots, 8*64, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE))
	return r
}

// A request is the part of struct io_uring_sqe that is used here.
type request struct {
	op, flags byte
	fd        int
	addr      unsafe.Pointer
	size      int
}

// submit hands requests to the kernel.
func (r *ring) submit(list ...request) {
	// struct io_sqring_offsets begins at byte 40: head, tail, mask, entries, flags, dropped, array.
	offset := func(i int) uint32 { return binary.NativeEndian.Uint32(r.params[40+4*i:]) }
	word := func(at uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.queue[at])) }
	for i, q := range list {
		s := r.slots[64*i : 64*i+64]
		clear(s)
		s[0], s[1] = q.op, q.flags
		binary.NativeEndian.PutUint32(s[4:], uint32(q.fd))
		binary.NativeEndian.PutUint64(s[16:], uint64(uintptr(q.addr)))
		binary.NativeEndian.PutUint32(s[24:], uint32(q.size))
		*word(offset(6) + 4*uint32(i)) = uint32(i)
	}
	*word(offset(1)) += uint32(len(list))
	n, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(len(list)), 0, 0, 0, 0)
	expect(errno == 0 && int(n) == len(list))
}

// after is a request that is answered after a nap.
func after() request {
	t := unix.NsecToTimespec(int64(nap))
	return request{op: ringTimeout, fd: -1, addr: unsafe.Pointer(&t), size: 1}
}

func liveRings() []row {
	return []row{
		lives("io_uring timeout that signals an event", func() {
			r := newRing()
			event := must(unix.Eventfd(0, unix.EFD_CLOEXEC))
			e := int32(event)
			_, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), ringRegisterEvent, uintptr(unsafe.Pointer(&e)), 1, 0, 0)
			expect(errno == 0)
			r.submit(after())
			must(unix.Read(event, make([]byte, 8)))
		}),
		lives("io_uring timeout linked to a write", func() {
			ring := newRing()
			r, w := pipe()
			first := after()
			first.flags = ringHardLink
			b := []byte("x")
			ring.submit(first, request{op: ringWrite, fd: int(w.Fd()), addr: unsafe.Pointer(&b[0]), size: 1})
			must(unix.Read(int(r.Fd()), make([]byte, 1)))
		}),
		{name: "live io_uring of a child that wakes its parent", roles: map[string]func([]string){
			"top": func([]string) {
				r, w := pipe()
				stay, held := pipe() // the child stays until this process ends
				child("ringer", []*os.File{w, stay})
				w.Close()
				must(unix.Read(int(r.Fd()), make([]byte, 1)))
				runtime.KeepAlive(held)
			},
			"ringer": func([]string) {
				ring := newRing()
				first := after()
				first.flags = ringHardLink
				b := []byte("x")
				ring.submit(first, request{op: ringWrite, fd: 4, addr: unsafe.Pointer(&b[0]), size: 1})
				unix.Read(5, make([]byte, 1))
			},
		}},
		lives("io_uring_enter until a timeout", func() {
			r := newRing()
			r.submit(after())
			_, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), 0, 1, ringGetEvents, 0, 0)
			expect(errno == 0)
		}),
		lives("io_uring_enter until a pipe has something", func() {
			ring := newRing()
			r, w := pipe()
			ring.submit(request{op: ringPoll, fd: int(r.Fd()), size: 0}, after())
			go func() {
				time.Sleep(nap)
				w.Write([]byte("x"))
			}()
			_, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(ring.fd), 0, 1, ringGetEvents, 0, 0)
			expect(errno == 0)
		}),
	}
}
