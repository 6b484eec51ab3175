package watch

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// reclaimAge is the age of a watch from which it is worth asking whether its
// processes still live. None is held as long, but for a stopped process.
const reclaimAge = 5 * time.Millisecond

// reclaim frees a slot whose watch nobody will end, since a process of it was
// killed. It never takes a slot from a process that lives, however long that
// has been stopped: it may be about to write its half.
func (t *Table) reclaim(slot int, now int64) {
	if now-t.since[slot].Load() < int64(reclaimAge) {
		return
	}
	s := state(t.state[slot].Load())
	var over bool
	switch s.phase() {
	case watching:
		over = dead(s.watcher())
	case claimed:
		over = (s&watcherDone != 0 || dead(s.watcher())) && (s&otherDone != 0 || dead(s.other()))
	}
	if over {
		t.state[slot].CompareAndSwap(uint64(s), free)
	}
}

// dead says whether the process has ended, waited for or not.
func dead(pid uint64) bool {
	return errors.Is(unix.Kill(int(pid), 0), unix.ESRCH) || zombie(int(pid))
}
