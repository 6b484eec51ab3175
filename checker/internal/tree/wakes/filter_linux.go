package wakes

import "golang.org/x/sys/unix"

// The filter is some forty instructions, so golang.org/x/sys, which the project has
// anyway, is enough: a library such as elastic/go-seccomp-bpf assembles longer ones,
// but neither hands out the listener nor puts a filter on one thread alone.

// Offsets into struct seccomp_data of the kernel's include/uapi/linux/seccomp.h, on
// machines that keep the low half of a word first.
const (
	atCall = 0
	atArch = 4
	atArgs = 16 // six words of 8 bytes
)

// foreign is the bit by which calls of the x32 kind are told from those of x86-64.
const foreign = 0x40000000

// A rule chooses calls with this number.
type rule struct {
	call uint32
	arg  int      // the argument that decides; -1: none, all such calls are chosen
	is   []uint32 // chosen are those in which it is one of these,
	has  uint32   // or has one of these bits,
	// and, for the value when, those in which the next argument has one of the bits
	// and.
	when, and uint32
}

// rules are the calls that can set a wake for later. What is left out is seen by
// looking: timerfd in its file info, poll and its kind in their arguments, a thread
// of the kernel's as a thread. Timers that count processor time (ITIMER_VIRTUAL,
// ITIMER_PROF) stand still while a process sleeps.
func rules() []rule {
	all := []rule{
		{call: unix.SYS_SETITIMER, arg: 0, is: []uint32{itimerReal}},
		{call: unix.SYS_TIMER_SETTIME, arg: -1},
		{call: unix.SYS_IO_URING_SETUP, arg: -1},
		{call: unix.SYS_IO_SETUP, arg: -1},
		{call: unix.SYS_MQ_NOTIFY, arg: -1},
		{
			call: unix.SYS_FCNTL, arg: 1, is: []uint32{unix.F_SETOWN, unix.F_SETOWN_EX, unix.F_SETLEASE, unix.F_NOTIFY},
			when: unix.F_SETFL, and: unix.O_ASYNC,
		},
		{call: unix.SYS_IOCTL, arg: 1, is: []uint32{fioasync, fiosetown, siocspgrp}},
		// A pipe to which the kernel itself writes (O_NOTIFICATION_PIPE).
		{call: unix.SYS_PIPE2, arg: 1, has: unix.O_EXCL},
	}
	if alarmCall >= 0 {
		all = append(all, rule{call: uint32(alarmCall), arg: -1})
	}
	return all
}

const (
	itimerReal = 0
	fioasync   = 0x5452
	fiosetown  = 0x8901
	siocspgrp  = 0x8902
)

// program is the filter in the kernel's form.
func program() []unix.SockFilter {
	const (
		load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		least = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		bits  = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		ret   = unix.BPF_RET | unix.BPF_K
	)
	tell := unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_USER_NOTIF}
	pass := unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW}
	arg := func(i int) unix.SockFilter { return unix.SockFilter{Code: load, K: uint32(atArgs + 8*i)} }
	p := []unix.SockFilter{
		{Code: load, K: atArch},
		{Code: equal, Jt: 1, K: arch},
		tell, // calls of another kind of processor: their numbers mean something else
		{Code: load, K: atCall},
		{Code: least, Jf: 1, K: foreign},
		tell,
	}
	for _, r := range rules() {
		var body []unix.SockFilter
		if r.arg < 0 {
			body = []unix.SockFilter{tell}
		} else {
			body = []unix.SockFilter{arg(r.arg)}
			for _, value := range r.is {
				body = append(body, unix.SockFilter{Code: equal, Jf: 1, K: value}, tell)
			}
			if r.has != 0 {
				body = append(body, unix.SockFilter{Code: bits, Jf: 1, K: r.has}, tell)
			}
			if r.and != 0 {
				body = append(body, unix.SockFilter{Code: equal, Jf: 3, K: r.when}, arg(r.arg+1),
					unix.SockFilter{Code: bits, Jf: 1, K: r.and}, tell)
			}
			body = append(body, pass)
		}
		p = append(p, unix.SockFilter{Code: equal, Jf: uint8(len(body)), K: r.call})
		p = append(p, body...)
	}
	return append(p, pass)
}
