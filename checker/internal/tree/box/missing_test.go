//go:build linux

package box

import (
	"errors"
	"os"
	"runtime"
	"testing"
	"unsafe"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
)

// where tries the layers on a machine that refuses some system calls, as a container or an
// old kernel does.
func where(t *testing.T, no seccomp.SyscallGroup) evidence.Sandbox {
	t.Helper()
	policy := seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{no}}
	list, err := policy.Assemble()
	require.NoError(t, err)
	raw, err := bpf.Assemble(list)
	require.NoError(t, err)
	var p []unix.SockFilter
	for _, i := range raw {
		p = append(p, unix.SockFilter{Code: i.Op, Jt: i.Jt, Jf: i.Jf, K: i.K})
	}
	base := t.TempDir()
	found := make(chan evidence.Sandbox)
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the filter goes with the thread
		prog := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
		err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		if _, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog))); errno != 0 {
			err = errors.Join(err, errno)
		}
		failed <- err
		found <- Probe(self(), base)
	}()
	require.NoError(t, <-failed)
	return <-found
}

func refusing(errno unix.Errno, names ...string) seccomp.SyscallGroup {
	return seccomp.SyscallGroup{Action: seccomp.ActionErrno | seccomp.Action(errno), Names: names}
}

// TestMissing: where a layer is missing that is needed, untrusted code is refused, and the
// layer is named, with the reason and the way to get it. Where another is, it is not.
func TestMissing(t *testing.T) {
	need(t)
	noUserNamespace := seccomp.SyscallGroup{
		Action: seccomp.ActionErrno | seccomp.Action(unix.EPERM),
		NamesWithCondtions: []seccomp.NameWithConditions{{
			Name: "clone", Conditions: seccomp.ArgumentConditions{{Argument: 0, Operation: seccomp.BitsSet, Value: unix.CLONE_NEWUSER}},
		}},
	}
	root := os.Geteuid() == 0
	for _, row := range []struct {
		name    string
		machine seccomp.SyscallGroup
		tier    string
		missing string
		words   []string
	}{
		{"no user namespaces", noUserNamespace, None, Namespaces, []string{"namespaces (the kernel gives this user no namespaces: ", "operation not permitted", "sysctl -w user.max_user_namespaces", "--trust"}},
		{"no mounts", refusing(unix.EPERM, "mount"), None, Root, []string{"private root (take the mounts apart: operation not permitted)", "allow mount(2)", "--trust"}},
		{"no change of the root", refusing(unix.EPERM, "pivot_root"), None, Root, []string{"private root (change the root: operation not permitted)"}},
		{"no filters", refusing(unix.EINVAL, "seccomp"), None, Seccomp, []string{"seccomp (invalid argument)", "CONFIG_SECCOMP_FILTER", "--trust"}},
		{"no Landlock", refusing(unix.ENOSYS, "landlock_create_ruleset"), map[bool]string{true: Strong, false: None}[root], map[bool]string{true: Landlock, false: UserID}[root], map[bool][]string{false: {"another user", "as root", "Landlock"}}[root]},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := where(t, row.machine)
			assert.Equal(t, row.tier, s.Tier, "%+v", s.Layers)
			assert.Equal(t, row.missing, s.Missing, "%+v", s.Layers)
			err := Enough(s)
			if row.tier != None {
				assert.NoError(t, err)
				return
			}
			for _, words := range append(row.words, "untrusted code is not run here") {
				assert.ErrorContains(t, err, words)
			}
			t.Log(err)
		})
	}
}
