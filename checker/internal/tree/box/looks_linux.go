package box

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// looks try each layer from inside. They return what is wrong, in words.
var looks = map[string]func() string{
	Namespaces: func() string {
		if os.Getppid() != 1 {
			return "its parent is not process 1"
		}
		return ""
	},
	Root: func() string {
		if err := os.WriteFile("/probe", nil, 0o600); err == nil {
			return "the root can be written to"
		}
		if err := os.WriteFile("/tmp/probe", nil, 0o600); err != nil {
			return err.Error()
		}
		var fs unix.Statfs_t
		if err := unix.Statfs("/", &fs); err != nil || fs.Type != unix.TMPFS_MAGIC {
			return "the root is not a private one"
		}
		return ""
	},
	Proc: func() string {
		if self, err := os.Readlink("/proc/self"); err != nil || self != strconv.Itoa(os.Getpid()) {
			return "/proc shows other processes"
		}
		if f, err := os.OpenFile("/proc/self/mem", os.O_WRONLY, 0); err == nil {
			f.Close()
			return "/proc/self/mem can be written to"
		}
		return ""
	},
	Loopback: dialSelf,
	Limited: func() string {
		var l unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_CORE, &l); err != nil || l.Max != 0 {
			return "a process may write as much as it likes"
		}
		return ""
	},
	NoCaps: func() string {
		for _, name := range []string{"CapEff", "CapPrm", "CapBnd", "CapAmb"} {
			if v := state("self", name); strings.Trim(v, "0") != "" {
				return name + " is " + v
			}
		}
		return ""
	},
	NoPrivs: func() string {
		if v := state("self", "NoNewPrivs"); v != "1" {
			return "NoNewPrivs is " + v
		}
		return ""
	},
	Seccomp: func() string {
		if err := unix.Unshare(unix.CLONE_NEWUSER); err != unix.EPERM {
			return fmt.Sprintf("unshare(2): %v", err)
		}
		return ""
	},
	UserID: func() string {
		if mine, its := state("self", "Uid"), state("1", "Uid"); mine == its {
			return "an ordinary user has no second user ID to give, so the code under test has its supervisor's"
		}
		return ""
	},
	Landlock: func() string {
		// Without Landlock anybody may make this one, which overlays use as a mark.
		if err := unix.Mknod("/tmp/device", unix.S_IFCHR, 0); err != unix.EACCES {
			return fmt.Sprintf("mknod(2): %v", err)
		}
		return ""
	},
	Scopes: func() string {
		conn, err := net.Dial("unix", supervisorSocket)
		if err == nil {
			conn.Close()
		}
		if !errors.Is(err, unix.EPERM) {
			return fmt.Sprintf("connect(2): %v", err)
		}
		return ""
	},
	Memory: func() string { return "" }, // process 1 has been put into it
	Tasks:  func() string { return "" },
}

// dialSelf connects to a port of its own.
func dialSelf() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err.Error()
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err.Error()
	}
	conn.Close()
	return ""
}

// state is a line of /proc/PID/status, as "CapEff:	0000000000000000".
func state(pid, name string) string {
	b, _ := os.ReadFile("/proc/" + pid + "/status")
	_, rest, _ := strings.Cut(string(b), "\n"+name+":\t")
	line, _, _ := strings.Cut(rest, "\n")
	return line
}
