// Flaw: tasks are only counted, and the second Done of one counts for another.
// Why: A counter is so much simpler than a set: it is what Python does, which at least complains below zero.
//
// want wrong TestDoneTwice TestItemThatCannotBeEncoded
package queue

import (
	"context"
	"encoding/gob"
	"errors"
	"maps"
	"os"
	"slices"
	"sync"
	"syscall"
)

// A request is what a producer or consumer asks of the keeper. Each gets one
// reply, but for "cancel" and "done", which get none.
type request struct {
	Op    string // "put", "get", "cancel" or "done"
	Try   bool   // do not wait
	Item  []byte
	Tasks []int
}

type reply struct {
	Err  string // "full", "empty", "closed" or "cancelled"
	Task int
	Item []byte
}

// A keeper is the one place that knows where every item is. Several processes
// that share a pipe could move items too, but then nobody could say what a
// killed one had just taken, nor how many items wait. So every other process
// talks to the keeper over a socket pair of its own, and the kernel tells the
// keeper of each death by the end of that stream.
type keeper struct {
	mu        sync.Mutex
	capacity  int
	waiting   []task  // the queue itself
	line      []*peer // those whose request cannot be met yet, in the order of arrival
	peers     map[*peer]bool
	producers int
	closed    bool // there was a last producer, and it has gone
	tasks     int  // how many there ever were; numbers them
	lost      []task
	changed   chan struct{} // closed, and made anew, when Join should look again
}

type task struct {
	number int
	item   []byte
	pid    int
}

// A peer is the keeper's end of one producer or consumer.
type peer struct {
	conn     *os.File
	producer bool
	pid      int
	asked    request // what it waits for, while it stands in line
	hand     map[int]task
	done     int
	last     task // what it was given by the last reply
	replies  chan reply
	gone     chan struct{} // closed when the keeper has let go of it
}

func newKeeper(capacity int) *keeper {
	return &keeper{capacity: capacity, peers: map[*peer]bool{}, changed: make(chan struct{})}
}

// admit counts a peer in before its process exists, or else the queue could
// close while the process is being started.
func (k *keeper) admit(conn *os.File, producer bool) *peer {
	k.mu.Lock()
	defer k.mu.Unlock()
	// One request at a time means one reply at a time: a buffer of one is enough
	// for the keeper never to wait for a peer that is slow to read.
	p := &peer{conn: conn, producer: producer, hand: map[int]task{}, replies: make(chan reply, 1), gone: make(chan struct{})}
	k.peers[p] = true
	if producer {
		k.producers++
	}
	return p
}

// serve answers one peer until its stream ends.
func (k *keeper) serve(p *peer) {
	written := make(chan struct{})
	var readErr, writeErr error
	go func() {
		defer close(written)
		enc := gob.NewEncoder(p.conn)
		for r := range p.replies {
			writeErr = errors.Join(writeErr, enc.Encode(r))
		}
	}()
	for dec := gob.NewDecoder(p.conn); ; {
		var r request
		if readErr = dec.Decode(&r); readErr != nil {
			break // It closed its end, or it died and the kernel closed it.
		}
		k.handle(p, r)
	}
	k.mu.Lock()
	k.line = slices.DeleteFunc(k.line, func(other *peer) bool { return other == p })
	k.mu.Unlock()
	close(p.replies)
	p.conn.Close()
	<-written
	// A reset instead of an end tells that it died before it had read the reply:
	// then it never took the item. Not every system tells that; on those the item
	// is reported as lost.
	k.dismiss(p, writeErr != nil || errors.Is(readErr, syscall.ECONNRESET))
}

func (k *keeper) handle(p *peer, r request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch r.Op {
	case "put", "get":
		p.asked = r
		p.last = task{} // Who asks again has seen the reply before.
		k.line = append(k.line, p)
	case "cancel":
		// If it is no longer in line, its reply is on the way and stands.
		if i := slices.Index(k.line, p); i >= 0 {
			k.line = slices.Delete(k.line, i, i+1)
			p.replies <- reply{Err: "cancelled"}
		}
	case "done":
		p.done += len(r.Tasks)
	}
	k.settle()
}

// dismiss forgets a peer that has gone. What it had in hand is lost, but for the
// last item if it never saw that: this one is again the first of those that wait.
func (k *keeper) dismiss(p *peer, unseen bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer close(p.gone)
	delete(k.peers, p)
	if p.producer {
		k.producers--
		k.closed = k.producers == 0
	}
	if _, ok := p.hand[p.last.number]; ok && unseen {
		delete(p.hand, p.last.number)
		k.waiting = slices.Insert(k.waiting, 0, p.last)
	}
	for _, number := range slices.Sorted(maps.Keys(p.hand))[min(p.done, len(p.hand)):] {
		t := p.hand[number]
		t.pid = p.pid
		k.lost = append(k.lost, t)
	}
	k.settle()
}

// settle meets every request in line that can be met now. Each may make room or
// bring an item for one that stands before it, so it goes on until none can.
func (k *keeper) settle() {
	for met := true; met; {
		met = false
		k.line = slices.DeleteFunc(k.line, func(p *peer) bool {
			r, ok := k.attempt(p)
			if ok {
				p.replies <- r
				met = true
			}
			return ok
		})
	}
	close(k.changed)
	k.changed = make(chan struct{})
}

func (k *keeper) attempt(p *peer) (reply, bool) {
	switch put := p.asked.Op == "put"; {
	case put && len(k.waiting) < k.capacity:
		k.tasks++
		k.waiting = append(k.waiting, task{number: k.tasks, item: p.asked.Item})
		return reply{}, true
	case put:
		return reply{Err: "full"}, p.asked.Try
	case len(k.waiting) > 0:
		t := k.waiting[0]
		k.waiting = k.waiting[1:]
		p.hand[t.number], p.last = t, t
		return reply{Task: t.number, Item: t.item}, true
	case k.closed: // Every consumer learns it by itself, however many there are.
		return reply{Err: "closed"}, true
	default:
		return reply{Err: "empty"}, p.asked.Try
	}
}

// join waits for what Join promises and returns the lost tasks.
func (k *keeper) join(ctx context.Context, owner *peer) ([]task, error) {
	for {
		k.mu.Lock()
		open, all := k.peers[owner], len(k.waiting) == 0
		for p := range k.peers {
			all = all && p.done >= len(p.hand)
		}
		if open && all || len(k.peers) == 0 {
			lost := append(k.lost, k.waiting...)
			k.lost, k.waiting = nil, nil
			k.mu.Unlock()
			slices.SortFunc(lost, func(a, b task) int { return a.number - b.number })
			return lost, nil
		}
		changed := k.changed
		k.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
