package box

import (
	"fmt"
	"sync"
	"unsafe"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// refused are the system calls that no answer to a kata needs, and that reach other
// processes, other machines' worth of state, or parts of the kernel in which holes were
// often found. They fail with EPERM.
var refused = []string{
	// other processes and their memory
	"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd",
	// mounts, roots, namespaces
	"mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "unshare", "setns",
	// keys, programs in the kernel, counters, faults, rings
	"add_key", "request_key", "keyctl", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
	// filters, which would answer the supervisor's questions in the kernel's place
	"seccomp",
	// the machine itself
	"kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "swapon", "swapoff", "syslog", "acct", "quotactl", "quotactl_fd",
	"settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "vhangup", "iopl", "ioperm", "modify_ldt",
	"open_by_handle_at", "name_to_handle_at", "lookup_dcookie", "fanotify_init", "fanotify_mark", "move_pages", "migrate_pages", "mbind", "set_mempolicy", "memfd_secret",
}

// ofOthers are calls whose first argument names the process that they are about: 0 is
// the caller's own.
var ofOthers = []string{"prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"}

// namespaceFlags are those of clone(2).
const namespaceFlags = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWTIME

// program is the filter. The library (elastic/go-seccomp-bpf, of Beats: alive, pure Go)
// knows the numbers of calls and assembles; to install is left to us, for it must be on
// this thread alone.
var program = sync.OnceValues(func() ([]unix.SockFilter, error) {
	info, err := arch.GetInfo("")
	if err != nil {
		return nil, err
	}
	known := func(names []string) (all []string) {
		for _, name := range names {
			if _, ok := info.SyscallNames[name]; ok {
				all = append(all, name)
			}
		}
		return all
	}
	no := seccomp.SyscallGroup{Action: seccomp.ActionErrno | seccomp.Action(unix.EPERM), Names: known(refused)}
	when := func(name string, argument uint32, op seccomp.Operation, value uint64) {
		no.NamesWithCondtions = append(no.NamesWithCondtions, seccomp.NameWithConditions{
			Name: name, Conditions: seccomp.ArgumentConditions{{Argument: argument, Operation: op, Value: value}},
		})
	}
	for _, name := range known(ofOthers) {
		when(name, 0, seccomp.NotEqual, 0)
	}
	when("clone", 0, seccomp.BitsSet, namespaceFlags)
	when("prctl", 0, seccomp.Equal, unix.PR_SET_SECCOMP)
	when("ioctl", 1, seccomp.Equal, unix.TIOCSTI) // types into another's terminal
	// Its flags lie in memory, where no filter sees them: whoever gets this answer
	// takes clone(2).
	absent := seccomp.SyscallGroup{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: known([]string{"clone3"})}
	policy := seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{no, absent}}
	list, err := policy.Assemble()
	if err != nil {
		return nil, fmt.Errorf("assemble the filter: %w", err)
	}
	// The library lets calls of another kind of processor (int 0x80) pass by a list of
	// what is refused: their numbers mean something else.
	const archOffset = 4
	foreign := []bpf.Instruction{
		bpf.LoadAbsolute{Off: archOffset, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(info.ID), SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_KILL_PROCESS},
	}
	raw, err := bpf.Assemble(append(foreign, list...))
	if err != nil {
		return nil, fmt.Errorf("assemble the filter: %w", err)
	}
	var p []unix.SockFilter
	for _, i := range raw {
		p = append(p, unix.SockFilter{Code: i.Op, Jt: i.Jt, Jf: i.Jf, K: i.K})
	}
	return p, nil
})

// filter puts the filter on this thread.
func filter() error {
	p, err := program()
	if err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	const flags = unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW
	if _, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog))); errno != 0 {
		return errno
	}
	return nil
}
