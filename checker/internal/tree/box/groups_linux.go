package box

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/tree/place"
)

// groups are the control groups of one box. A layer that the Spec leaves out has none.
type groups struct {
	dirs  []string
	holds []func()
}

// prefix begins the names of all folders that boxes make among control groups.
const prefix = "prokata-box-"

// hierarchies are where a controller may be found: version 1, version 2.
func hierarchies(controller string) []string {
	return []string{"/sys/fs/cgroup/" + controller, "/sys/fs/cgroup"}
}

// newGroups makes them, notes in the Spec where they are, and takes away those that are
// left of boxes whose maker is gone.
func newGroups(s *Spec) (*groups, error) {
	g := &groups{}
	var err error
	if s.has(Memory) {
		bytes := strconv.Itoa(s.Limits.MemoryMiB << 20)
		if s.Groups.Memory, err = g.make(Memory, "memory", map[string]string{"memory.limit_in_bytes": bytes}, map[string]string{"memory.max": bytes, "memory.swap.max": "0"}); err != nil {
			g.remove()
			return nil, err
		}
	}
	if s.has(Tasks) {
		most := map[string]string{"pids.max": strconv.Itoa(s.Limits.Tasks)}
		if s.Groups.Tasks, err = g.make(Tasks, "pids", most, most); err != nil {
			g.remove()
			return nil, err
		}
	}
	return g, nil
}

// make makes a group with one controller's bounds, of version 1 or else of version 2,
// where one group that is there already takes the second controller's, too.
func (g *groups) make(layer, controller string, one, two map[string]string) (dir string, err error) {
	for i, parent := range hierarchies(controller) {
		settings := []map[string]string{one, two}[i]
		if i == 1 && len(g.dirs) == 1 && filepath.Dir(g.dirs[0]) == parent {
			return g.dirs[0], set(g.dirs[0], settings)
		}
		if _, missing := os.Stat(filepath.Join(parent, "cgroup.procs")); missing != nil {
			err = firstOf(err, missing)
			continue
		}
		place.Sweep(parent, prefix+"*", unix.Rmdir)
		made, let, failed := place.Hold(parent, prefix)
		if failed != nil {
			err = failed
			continue
		}
		if failed := set(made, settings); failed != nil {
			err = failed
			_ = unix.Rmdir(made)
			let()
			continue
		}
		g.dirs, g.holds = append(g.dirs, made), append(g.holds, let)
		return made, nil
	}
	return "", &LayerError{layer, err}
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// set writes the settings of a group. A machine without swap does not bound it.
func set(dir string, settings map[string]string) error {
	for file, value := range settings {
		err := os.WriteFile(filepath.Join(dir, file), []byte(value), 0)
		if os.IsNotExist(err) && strings.Contains(file, "swap") {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// place puts process 1 into the groups where they are its own.
func (g *groups) place(kind Kind, pid int) error {
	if kind != Exec {
		return nil
	}
	for _, dir := range g.dirs {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
			return fmt.Errorf("sandbox: put it into its control group: %w", err)
		}
	}
	return nil
}

// remove takes the groups away. The kernel has ended whoever was in them with the PID
// namespace, and counts them out a moment later.
func (g *groups) remove() {
	for i, dir := range g.dirs {
		for wait := time.Millisecond; unix.Rmdir(dir) == unix.EBUSY && wait < time.Second; wait *= 2 {
			time.Sleep(wait)
		}
		g.holds[i]()
	}
}
