// Package observe shows the tree of processes below a supervisor as the kernel
// shows it: processes and threads, what each thread sleeps in, what descriptors
// are joined to, who holds which lock.
//
// It looks from outside and never touches what it looks at: everything comes
// from /proc, from sock_diag and from reading memory, so no process of the tree
// can forge it, and none runs an instruction because of it. The supervisor (the
// root of the tree) must be a child subreaper (see prctl(2)): then a process
// that left its session, its process group or its parent is still below it.
//
// There are two levels. A pulse is cheap, and is taken many times a second to
// learn whether the tree is at rest; it stops at the first thread that is not.
// A snapshot is complete, and is taken only of a tree at rest. What a snapshot
// means is not decided here: package detect does that, from values alone.
package observe

import "errors"

// ErrUnsupported says that this system does not show what was asked for.
var ErrUnsupported = errors.New("not checked on this system")
