// Package wakes lets the kernel tell of everything by which a process sets a wake
// of its own for later: an alarm, a timer, a signal that a descriptor is to send, a
// ring of requests that the kernel works off by itself. None of them can be seen by
// looking at a process that sleeps: /proc shows no interval timer, an alarm outlives
// exec(2), a ring may signal an event that nobody seems to hold.
//
// But each is set by a system call, and these calls are few. A filter of seccomp(2)
// announces them, before they are made, to whoever started the tree, who notes them
// and lets them go on (SECCOMP_RET_USER_NOTIF, SECCOMP_USER_NOTIF_FLAG_CONTINUE).
// Every other call passes at the cost of the kernel's look into a bit map. The
// filter is handed down over fork and exec, and nothing takes it off again.
//
// It is put on a thread of the starting process that does nothing but start the
// tree and ends then, so that the starter itself is free of it, and no program of
// the tree needs to help. The price, for a user who is not the superuser: in the
// tree no program gains rights by exec(2) (PR_SET_NO_NEW_PRIVS), such as sudo.
package wakes

import "errors"

// ErrUnsupported says that this kernel, or the container, lets nobody listen.
var ErrUnsupported = errors.New("the kernel does not tell of alarms here")
