package box

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
)

// lends tells whether an ordinary user has IDs beside its own, for the code under test.
// The kernel lets the user's own programs map only one: the helpers newuidmap and
// newgidmap, which are installed with the rights for it, map the others.
func lends() bool {
	_, _, err := subordinate()
	return err == nil
}

// subordinate returns the first of the user's ranges.
func subordinate() (uid, gid int, err error) {
	for _, helper := range []string{"newuidmap", "newgidmap"} {
		if _, err := exec.LookPath(helper); err != nil {
			return 0, 0, err
		}
	}
	me, err := user.Current()
	if err != nil {
		return 0, 0, err
	}
	if uid, err = rangeOf("/etc/subuid", me); err != nil {
		return 0, 0, err
	}
	gid, err = rangeOf("/etc/subgid", me)
	return uid, gid, err
}

// rangeOf reads the lines of subuid(5): "ada:100000:65536", or with the number of the user.
func rangeOf(path string, me *user.User) (first int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		parts := strings.Split(s.Text(), ":")
		if len(parts) == 3 && (parts[0] == me.Username || parts[0] == me.Uid) {
			return strconv.Atoi(parts[1])
		}
	}
	return 0, fmt.Errorf("%s gives %s nothing", path, me.Username)
}

// lend maps the IDs of process 1, which waits meanwhile: the user's own, and one of the
// subordinate ones.
func lend(pid int) error {
	uid, gid, err := subordinate()
	if err != nil {
		return err
	}
	var problems []error
	for helper, ids := range map[string][2]int{"newuidmap": {os.Geteuid(), uid}, "newgidmap": {os.Getegid(), gid}} {
		args := []int{pid, insideUser, ids[0], 1, insideLent, ids[1], 1}
		words := make([]string, len(args))
		for i, a := range args {
			words[i] = strconv.Itoa(a)
		}
		if out, err := exec.Command(helper, words...).CombinedOutput(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w: %s", helper, err, strings.TrimSpace(string(out))))
		}
	}
	return errors.Join(problems...)
}
