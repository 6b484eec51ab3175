package observe

import (
	"bytes"
	"maps"
	"strconv"
)

// family returns every process below root, by the lists of children that the kernel
// keeps for each thread:
//
//	4312 4313 4400
//
// That costs what the tree costs, and not what all processes of the machine do. But a
// list that is read while a process leaves it may lack another one (proc(5): it is
// reliable for stopped trees only), and one whose parent has just ended may have moved
// to a list that was read before. Both take the end of a process that is in the list, or
// was. So a walk has missed nothing if all that it met are there afterwards, and have
// not ended; where some have, and stay for their parents to wait for them, a second walk
// must see the same. It is false where that was not so in a few attempts, or where the
// kernel keeps no such lists.
func family(root int) (map[int]stat, bool) {
	const most = 4
	var before map[int]stat
	for range most {
		now, ok := walk(root)
		if !ok {
			before = nil
			continue
		}
		if untouched(now) || before != nil && maps.EqualFunc(before, now, func(a, b stat) bool {
			return a.start == b.start && a.parent == b.parent && a.ended() == b.ended()
		}) {
			delete(now, root)
			return now, true
		}
		before = now
	}
	return nil, false
}

// ended reports whether a process has given its children away.
func (s stat) ended() bool { return s.state == "Z" || s.state == "X" }

// leaving reports whether it is about to.
func (s stat) leaving() bool { return s.flags&flagExiting != 0 && !s.ended() }

// untouched reports whether no process of a walk has ended, before or since.
func untouched(all map[int]stat) bool {
	var buf []byte
	for pid, was := range all {
		if was.ended() {
			return false
		}
		var now stat
		var ok bool
		if now, buf, ok = readStat(pid, buf); !ok || now.ended() || now.leaving() || now.start != was.start || now.parent != was.parent {
			return false
		}
	}
	return true
}

// walk follows the lists once; it is false if it met a process on its way out.
func walk(root int) (map[int]stat, bool) {
	type child struct{ pid, parent int }
	all := make(map[int]stat)
	var buf []byte
	for queue := []child{{root, 0}}; len(queue) > 0; queue = queue[1:] {
		c := queue[0]
		var s stat
		var ok bool
		if s, buf, ok = readStat(c.pid, buf); !ok || s.leaving() || c.pid != root && s.parent != c.parent {
			return nil, false
		}
		if _, twice := all[c.pid]; twice {
			return nil, false
		}
		all[c.pid] = s
		dir := "/proc/" + strconv.Itoa(c.pid) + "/task"
		tids, err := numbers(dir)
		if err != nil {
			return nil, false
		}
		for _, tid := range tids {
			if buf, err = read(dir+"/"+strconv.Itoa(tid)+"/children", buf); err != nil {
				return nil, false
			}
			for word := range bytes.FieldsSeq(buf) {
				queue = append(queue, child{decimal(word), c.pid})
			}
		}
	}
	return all, true
}

func readStat(pid int, buf []byte) (stat, []byte, bool) {
	buf, err := readLine("/proc/"+strconv.Itoa(pid)+"/stat", buf)
	if err != nil {
		return stat{}, buf, false
	}
	s, err := parseStat(buf)
	return s, buf, err == nil
}
