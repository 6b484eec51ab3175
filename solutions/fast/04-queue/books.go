package queue

import (
	"cmp"
	"context"
	"encoding/gob"
	"os"
	"slices"
	"sync"
)

// A note is what a child tells the owner of the queue. The items themselves do
// not come this way; only what the owner needs for Join.
type note struct {
	Put   []uint64 // items that are in the queue now
	Took  []uint64 // items that are in the hand of this consumer now
	Items [][]byte // those items
	Done  []uint64
}

// books are what the owner knows of the items.
type books struct {
	mu      sync.Mutex
	items   map[uint64]*item  // put or taken, and not done
	peers   map[*os.File]bool // the streams of the children that are there
	closed  bool              // the owner has said goodbye
	lost    []*item
	changed chan struct{} // closed, and made anew, when Join should look again
}

type item struct {
	number uint64
	value  []byte // nil if the owner has not seen it
	put    bool   // else its taker was quicker to say so than its producer
	done   bool   // likewise
	pid    int    // of the process that has it in hand; 0 for none
}

func newBooks() *books {
	return &books{items: map[uint64]*item{}, peers: map[*os.File]bool{}, changed: make(chan struct{})}
}

// enter is called with mu held, and makes the item if need be.
func (b *books) enter(number uint64) *item {
	it, ok := b.items[number]
	if !ok {
		it = &item{number: number}
		b.items[number] = it
	}
	return it
}

func (b *books) write(n note, pid int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, number := range n.Put {
		it := b.enter(number)
		it.put = true
		if i < len(n.Items) {
			it.value = n.Items[i]
		}
		if it.done {
			delete(b.items, number)
		}
	}
	for i, number := range n.Took {
		it := b.enter(number)
		it.pid, it.value = pid, n.Items[i]
	}
	for _, number := range n.Done {
		// Several children write, each over a stream of its own: that it was put
		// may be read after it was done.
		if it := b.enter(number); it.put {
			delete(b.items, number)
		} else {
			it.done = true
		}
	}
	b.tell()
}

// goodbye is what a child reads of the owner that has closed its end.
const goodbye = "."

// admit makes room for what a child tells.
func (b *books) admit(notes *os.File) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.peers[notes] = true
	if b.closed {
		notes.WriteString(goodbye)
	}
}

// farewell tells all children that the owner has closed its end.
func (b *books) farewell() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	for notes := range b.peers {
		notes.WriteString(goodbye) // one byte: it does not wait, and the dead do not matter
	}
}

// strike takes back what was never put.
func (b *books) strike(numbers []uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, number := range numbers {
		delete(b.items, number)
	}
	b.tell()
}

func (b *books) tell() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// follow writes down what a child tells, until its stream ends. What it has in
// hand then is lost.
func (b *books) follow(notes *os.File, pid int) {
	for dec := gob.NewDecoder(notes); ; {
		var n note
		if dec.Decode(&n) != nil {
			break // It closed its end, or it died and the kernel closed it.
		}
		b.write(n, pid)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	notes.Close()
	delete(b.peers, notes)
	for number, it := range b.items {
		if it.pid == pid && !it.done {
			b.lost = append(b.lost, it)
			delete(b.items, number)
		}
	}
	b.tell()
}

// join waits until every item is done or lost or, when the owner has closed its
// end, until no child is left. Then it calls rest for what nobody took.
func (b *books) join(ctx context.Context, closed func() bool, rest func() []*item) ([]*item, error) {
	for {
		b.mu.Lock()
		all := true
		for _, it := range b.items {
			all = all && !it.put // What was only taken or done has its other note on the way.
		}
		if last := len(b.peers) == 0 && closed(); last || all && !closed() {
			lost := b.lost
			b.lost = nil
			if last {
				lost = append(lost, rest()...)
				// One that was put, and is nowhere: a consumer was killed between taking it
				// and saying so. It had it in hand, but nobody knows which one it was.
				for _, it := range lost {
					delete(b.items, it.number)
				}
				for _, it := range b.items {
					if it.put {
						lost = append(lost, it)
					}
				}
				clear(b.items)
			}
			b.mu.Unlock()
			slices.SortFunc(lost, func(x, y *item) int { return cmp.Compare(x.number, y.number) })
			return lost, nil
		}
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
