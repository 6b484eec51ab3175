// Flaw: a consumer's own children inherit its end of the queue.
// Why: What exec has passed to this process it passes on, unless somebody says no. So the end of a dead consumer lives on in its child.
//
// want deadlock TestChildOfAConsumer
package queue

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
)

// The variables that tell a child which of its descriptors is its end.
const (
	producerEnd = "QUEUE_PRODUCER_FD"
	consumerEnd = "QUEUE_CONSUMER_FD"
)

// A client is a process's end of the talk with the keeper.
type client struct {
	conn    *os.File
	turn    chan struct{} // a lock whose wait can be given up: one request at a time
	sending sync.Mutex    // one message at a time: "cancel" and "done" do not wait for the turn
	enc     *gob.Encoder
	dec     *gob.Decoder
}

func newClient(conn *os.File) *client {
	return &client{conn: conn, turn: make(chan struct{}, 1), enc: gob.NewEncoder(conn), dec: gob.NewDecoder(conn)}
}

// inherit makes a client of the end that this process was started with.
func inherit(end string) (*client, error) {
	fd, err := strconv.Atoi(os.Getenv(end))
	if err != nil {
		return nil, fmt.Errorf("queue: this process was not started with an end of the queue: %s is %q", end, os.Getenv(end))
	}
	os.Unsetenv(end)
	return newClient(file(fd)), nil
}

// call sends one request and waits for its reply. When ctx ends first, it asks
// the keeper to forget the request, and it is the keeper's word that counts: if
// the request was met in the same moment, it stays met.
func (c *client) call(ctx context.Context, r request) (reply, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
	if err := c.send(r); err != nil {
		return reply{}, err
	}
	cancelled := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cancelled)
		c.send(request{Op: "cancel"})
	})
	var a reply
	err := c.dec.Decode(&a)
	if !stop() {
		<-cancelled // or else it could follow, and cancel, the next request
	}
	switch {
	case err != nil:
		return reply{}, broken(err)
	case a.Err == "full":
		return reply{}, ErrFull
	case a.Err == "empty":
		return reply{}, ErrEmpty
	case a.Err == "closed":
		return reply{}, ErrClosed
	case a.Err == "cancelled":
		return reply{}, ctx.Err()
	}
	return a, nil
}

func (c *client) send(r request) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return broken(c.enc.Encode(r))
}

func (c *client) close() error {
	return broken(c.conn.Close())
}

// broken says in the queue's words why the talk with the keeper failed.
func broken(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrClosed):
		return ErrClosed
	default:
		return fmt.Errorf("queue: the process that made the queue has ended: %w", err)
	}
}

// socketpair makes the two ends of a stream that runs both ways.
func socketpair() (ours, theirs *os.File, err error) {
	// No process may be started between the making of the descriptors and their
	// marking, or it would inherit them.
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return file(fds[0]), file(fds[1]), nil
}

// file makes a file of a socket. One that does not block is waited for by the
// runtime's poller, so that Close ends a Read.
func file(fd int) *os.File {
	syscall.SetNonblock(fd, true)
	return os.NewFile(uintptr(fd), "queue")
}
