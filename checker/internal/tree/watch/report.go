package watch

import (
	"encoding/json"
	"os"
	"path/filepath"

	"prokata/checker/internal/evidence"
)

// maxFrames bounds the stack of one side; half.json holds about as many.
const maxFrames = 16

// write puts this process's side of a race into the slot's half number i.
func (t *Table) write(slot, i int, o op) {
	a := evidence.Access{Op: o.String(), PID: int(t.pid), Frames: stack(maxFrames)}
	for {
		b, err := json.Marshal(a)
		if err == nil && len(b) <= halfSize {
			h := &t.side[slot][i]
			h.length.Store(int64(copy(h.json[:], b)))
			return
		}
		if len(a.Frames) == 0 {
			t.side[slot][i].length.Store(0)
			return
		}
		a.Frames = a.Frames[:len(a.Frames)-1] // keep the innermost calls
	}
}

func (h *half) access() (evidence.Access, error) {
	n := min(max(h.length.Load(), 0), halfSize)
	var a evidence.Access
	err := json.Unmarshal(h.json[:n], &a)
	return a, err
}

// report frees the slot, which is in state s, and appends its race to the
// record, unless the same pair of lines stands there already.
func (t *Table) report(slot int, s state, word uint64) {
	first, err1 := t.side[slot][0].access()
	second, err2 := t.side[slot][1].access()
	key := pair(t.site[slot].Load(), t.other[slot].Load())
	if !t.state[slot].CompareAndSwap(uint64(s), free) || err1 != nil || err2 != nil {
		return
	}
	if !t.learn(key) {
		return
	}
	// There is nobody to tell of an error: the program under test must not
	// notice that it is watched.
	_ = appendLine(filepath.Join(t.dir, RacesFile), evidence.SharedRace{
		Word:     int(word),
		Accesses: []evidence.Access{first, second},
	})
}

// appendLine adds v as one line of JSON by one write, so that the lines of
// several processes never mix.
func appendLine(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// knows says whether the pair of lines has been reported.
func (t *Table) knows(key uint64) bool {
	for i := range uint64(seenProbes) {
		if t.seen[(key+i)%seenPairs].Load() == key {
			return true
		}
	}
	return false
}

// learn notes the pair of lines as reported, and says whether it was new. With
// no room left it says that it was not: the record has enough then.
func (t *Table) learn(key uint64) bool {
	for i := range uint64(seenProbes) {
		e := &t.seen[(key+i)%seenPairs]
		if e.CompareAndSwap(0, key) {
			return true
		}
		if e.Load() == key {
			return false
		}
	}
	return false
}

// seenProbes is how many places of Table.seen a pair may stand in.
const seenProbes = 16
