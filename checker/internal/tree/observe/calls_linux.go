package observe

import "golang.org/x/sys/unix"

// calls names the system calls that package detect knows how to judge. A
// thread in any other call is taken to be alive.
var calls = map[int]string{
	unix.SYS_READ: "read", unix.SYS_READV: "readv", unix.SYS_PREAD64: "pread64", unix.SYS_PREADV: "preadv",
	unix.SYS_WRITE: "write", unix.SYS_WRITEV: "writev", unix.SYS_PWRITE64: "pwrite64", unix.SYS_PWRITEV: "pwritev",
	unix.SYS_RECVFROM: "recvfrom", unix.SYS_RECVMSG: "recvmsg", unix.SYS_SENDTO: "sendto", unix.SYS_SENDMSG: "sendmsg",
	unix.SYS_ACCEPT: "accept", unix.SYS_ACCEPT4: "accept4", unix.SYS_CONNECT: "connect",
	unix.SYS_SPLICE: "splice", unix.SYS_TEE: "tee", unix.SYS_SENDFILE: "sendfile",
	unix.SYS_WAIT4: "wait4", unix.SYS_WAITID: "waitid",
	unix.SYS_FLOCK: "flock", unix.SYS_FCNTL: "fcntl",
	unix.SYS_RT_SIGSUSPEND: "rt_sigsuspend", unix.SYS_RT_SIGTIMEDWAIT: "rt_sigtimedwait",
	unix.SYS_EPOLL_PWAIT: "epoll_pwait", unix.SYS_EPOLL_PWAIT2: "epoll_pwait2",
	unix.SYS_PPOLL: "ppoll", unix.SYS_PSELECT6: "pselect6",
	unix.SYS_FUTEX: "futex", unix.SYS_RESTART_SYSCALL: "restart_syscall",
	unix.SYS_FUTEX_WAITV: "futex_waitv", unix.SYS_IO_URING_ENTER: "io_uring_enter", unix.SYS_OPENAT: "openat",
	unix.SYS_SEMOP: "semop", unix.SYS_SEMTIMEDOP: "semtimedop", unix.SYS_MSGRCV: "msgrcv", unix.SYS_MSGSND: "msgsnd",
	unix.SYS_MQ_TIMEDRECEIVE: "mq_timedreceive", unix.SYS_MQ_TIMEDSEND: "mq_timedsend",
	unix.SYS_NANOSLEEP: "nanosleep", unix.SYS_CLOCK_NANOSLEEP: "clock_nanosleep",
}
