package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/tree/wire"
	"prokata/checker/perturb"
)

// startTogether holds a child until its siblings have come as far and no further
// one has come for a while, so that those that are started together begin together:
// without it, the first has often ended before the second begins, and they never
// meet. They all wait for the same instant, since each reads it off the same file:
// the time at which the last of them announced itself, and the while. Siblings that
// do the same may go on to meet at what they do.
func startTogether(dir string) {
	const quiet, poll, most = 8 * time.Millisecond, time.Millisecond, 40 * time.Millisecond
	path := filepath.Join(dir, wire.ChildFile)
	begun, late := time.Now(), false
	// For a sibling that is known to come one may wait longer: on a slow or busy
	// machine its start alone takes more than the usual bound.
	for time.Since(begun) < most || late && time.Since(begun) < 10*most {
		info, err := os.Stat(path)
		if err != nil {
			return
		}
		wait := time.Until(info.ModTime().Add(quiet))
		if wait <= 0 {
			if late = missing(path); !late {
				break
			}
			wait = poll // much less than quiet: who comes late is seen by all in time
		}
		time.Sleep(min(wait, quiet)) // the clock may have been set back
	}
	if alike(path) {
		perturb.MeetAt(filepath.Join(dir, wire.MeetFile))
	}
}

// missing tells whether the parent has another child of this program that has not
// announced itself yet: a race-built one takes longer to start than one can wait
// for those that may not come. Without /proc nobody is missing.
func missing(path string) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	here := string(text)
	program, _ := os.Readlink("/proc/self/exe")
	tasks := fmt.Sprintf("/proc/%d/task", os.Getppid())
	threads, _ := os.ReadDir(tasks)
	var children []string
	for _, thread := range threads {
		// Each thread has a list of its own, as in "4312 4313 ". It may have ended.
		list, _ := os.ReadFile(filepath.Join(tasks, thread.Name(), "children"))
		children = append(children, strings.Fields(string(list))...)
	}
	if len(children) > crowd {
		return false
	}
	for _, pid := range children {
		if strings.Contains(here, `{"pid":`+pid+`,`) {
			continue
		}
		if exe, err := os.Readlink("/proc/" + pid + "/exe"); err == nil && exe == program {
			return true
		}
	}
	return false
}

// crowd is how many siblings need not wait for each other: some of them meet anyway,
// and all of them looking for each other would be busy with nothing else.
const crowd = 32

// alike tells whether a sibling lives that runs the same entry.
func alike(path string) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	// Most lines are those of former children: a hundred are not worth decoding.
	family := fmt.Sprintf(`,"parent":%d,"name":%q}`, os.Getppid(), os.Args[0])
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutSuffix(strings.TrimSpace(line), family)
		if !ok {
			continue
		}
		pid, err := strconv.Atoi(strings.TrimPrefix(rest, `{"pid":`))
		if err == nil && pid != os.Getpid() && unix.Kill(pid, 0) == nil {
			return true
		}
	}
	return false
}
