package evidence

// A Snapshot is the whole tree of processes below the supervisor as the kernel
// showed it at one time: enough to say who waits for whom, and to say it again
// from a recording.
type Snapshot struct {
	Root      int      `json:"root"` // the supervisor, which is no part of the tree
	Processes []Node   `json:"processes"`
	Objects   []Object `json:"objects,omitempty"` // what descriptors of the tree are joined to
	Locks     []Lock   `json:"locks,omitempty"`   // on files that the tree waits for
}

// A Node is a process of a snapshot.
type Node struct {
	Process
	Go      bool     `json:"go,omitempty"` // its program is written in Go
	Threads []Thread `json:"threads,omitempty"`
	Handles []Handle `json:"handles,omitempty"` // those that one can wait for, or that end another's wait
	Inner   []int    `json:"inner,omitempty"`   // its process IDs in the namespaces that it lives in, outermost first, if more than one
	Maps    []string `json:"maps,omitempty"`    // files that it shares memory through, as Thread.Memory names them
	Doubts  []string `json:"doubts,omitempty"`  // what may wake it, or could not be seen: any of them makes it alive
	// Caught are the signals that it acts upon, a bit each, the lowest for signal 1: of
	// a Go program those that it has asked for by os/signal.
	Caught uint64 `json:"caught,omitempty"`
}

// A Thread is one thread and the system call that it sleeps in.
type Thread struct {
	TID      int      `json:"tid"`
	State    string   `json:"state"`    // one letter, as in /proc/PID/stat
	Switches uint64   `json:"switches"` // how often it left a processor
	Call     string   `json:"call,omitempty"`
	Args     []uint64 `json:"args,omitempty"`
	// Timeout is what the call's timeout says, in nanoseconds, where it is kept
	// in memory and could be read.
	Timeout *int64 `json:"timeout,omitempty"`
	// Monitor marks the thread of the Go runtime that looks after the others
	// (sysmon). It sleeps for a minute at a time when there is no timer.
	Monitor bool     `json:"monitor,omitempty"`
	Polls   []Member `json:"polls,omitempty"`  // poll and select: what it waits for
	Memory  string   `json:"memory,omitempty"` // futex in shared memory: the file, "00:19 1187"
	Path    string   `json:"path,omitempty"`   // futex in shared memory, file lock: the file by name
	File    string   `json:"file,omitempty"`   // file lock: the file, as Lock.File
	Also    []Memory `json:"also,omitempty"`   // futex_waitv: further words in shared memory
	Notify  bool     `json:"notify,omitempty"` // it waits for the signals of a Go program (os/signal)
	// Stranger says how another program could reach what it waits for.
	Stranger string `json:"stranger,omitempty"`
}

// A Memory is a file through which memory is shared.
type Memory struct {
	File string `json:"file"` // "00:19 1187"
	Path string `json:"path"`
}

// Memories are the files in whose memory the thread waits.
func (t Thread) Memories() []Memory {
	if t.Memory == "" {
		return t.Also
	}
	return append([]Memory{{t.Memory, t.Path}}, t.Also...)
}

// A Handle is an open descriptor of a process.
type Handle struct {
	FD      int      `json:"fd"`
	Object  string   `json:"object"` // "pipe:[123]", "socket:[7]", "eventfd:[5]", "pidfd:[4312]", a path
	Read    bool     `json:"read,omitempty"`
	Write   bool     `json:"write,omitempty"`
	Of      int      `json:"of,omitempty"`      // pidfd: the process it stands for; -1 if that is over
	Members []Member `json:"members,omitempty"` // epoll: its set
}

// A Member is one descriptor of a set that a thread waits for.
type Member struct {
	FD      int  `json:"fd"`
	Unknown bool `json:"unknown,omitempty"` // the descriptor does not stand for what was put into the set
	// Waiters says which goroutines wait for it: "r", "w", "rw", "none", or
	// nothing where that could not be seen. It serves the words of a report,
	// never the verdict.
	Waiters string `json:"waiters,omitempty"`
	// ReadBy and WriteBy are those goroutines, as Goroutine.Address.
	ReadBy  uint64 `json:"read_by,omitempty"`
	WriteBy uint64 `json:"write_by,omitempty"`
}

// An Object is something that descriptors are joined to.
type Object struct {
	ID       string   `json:"id"`
	Kind     string   `json:"kind"`               // "pipe", "unix", "tcp", "datagram", "udp", "listener", "eventfd", "timerfd", "signalfd", "inotify", "ring"; "" for any other
	Name     string   `json:"name,omitempty"`     // "127.0.0.1:80 to 127.0.0.1:4711", a socket's path
	Peers    []string `json:"peers,omitempty"`    // sockets whose holders are at the other end
	Readers  []int    `json:"readers,omitempty"`  // processes outside the tree that can read from it
	Writers  []int    `json:"writers,omitempty"`  // processes outside the tree that can write to it
	Doubt    string   `json:"doubt,omitempty"`    // why it may wake a waiter by itself, or through somebody unseen
	Stranger bool     `json:"stranger,omitempty"` // another program can reach it by its name
}

// A Lock is a lock on a file, or the wish for one.
type Lock struct {
	Kind    string `json:"kind"` // "flock", "posix", "ofd"
	File    string `json:"file"` // "fe:00:524307"
	Write   bool   `json:"write,omitempty"`
	Start   uint64 `json:"start,omitempty"`
	End     uint64 `json:"end,omitempty"` // the last byte; none is the end of the file
	PID     int    `json:"pid"`           // as the kernel shows it; -1 for "ofd"
	Waiting bool   `json:"waiting,omitempty"`
	Holders []int  `json:"holders,omitempty"` // every process with the open file that holds it
	Outside bool   `json:"outside,omitempty"` // held outside the tree, or nobody knows where
}

// A Question is what a snapshot is asked: can these processes ever go on?
type Question struct {
	// Only names the processes to judge, with all of their descendants; none
	// means the whole tree.
	Only []int `json:"only,omitempty"`
	// Assume names processes that are taken to do nothing, whatever they look
	// like: the test process that waits for the supervisor's word.
	Assume []int `json:"assume,omitempty"`
	// Channel names the harness's own objects ("pipe:[123]", "socket:[7]"),
	// which never wake anybody.
	Channel []string `json:"channel,omitempty"`
	// Held names processes that the supervisor has stopped and will continue.
	Held []int `json:"held,omitempty"`
}

// Timed reports whether the call that a thread sleeps in ends by itself, or
// whether nobody can tell. The kernel's own names of calls are used.
func (t Thread) Timed() bool {
	arg := func(i int) uint64 {
		if i < len(t.Args) {
			return t.Args[i]
		}
		return 1 // not known: as if there were a timeout
	}
	switch t.Call {
	case "read", "readv", "pread64", "preadv", "write", "writev", "pwrite64", "pwritev",
		"recvfrom", "recvmsg", "sendto", "sendmsg", "accept", "accept4",
		"splice", "tee", "sendfile", "wait4", "waitid", "flock", "fcntl", "pause", "rt_sigsuspend",
		"open", "openat", "semop", "msgrcv", "msgsnd":
		return false
	case "semtimedop", "futex_waitv":
		return arg(3) != 0
	case "mq_timedreceive", "mq_timedsend":
		return arg(4) != 0
	case "io_uring_enter":
		const extended = 8 // IORING_ENTER_EXT_ARG: there may be a timeout behind it
		return arg(3)&extended != 0
	case "epoll_wait", "epoll_pwait":
		return int32(arg(3)) >= 0
	case "epoll_pwait2":
		return arg(3) != 0
	case "poll":
		return int32(arg(2)) >= 0
	case "ppoll", "rt_sigtimedwait":
		return arg(2) != 0
	case "select", "pselect6":
		return arg(4) != 0
	case "futex":
		switch op, _ := t.FutexOp(); op {
		case 0, 6, 9, 11, 13: // WAIT, LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2
			return arg(3) != 0
		}
		return true
	}
	return true
}

// FutexOp is the operation of a futex call without its flags, and whether it
// concerns this process alone.
func (t Thread) FutexOp() (op int, private bool) {
	if len(t.Args) < 2 {
		return -1, false
	}
	return int(t.Args[1] & 0x7f), t.Args[1]&0x80 != 0
}
