package crawl_test

import (
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	crawl "prokata/katas/10-crawl"
)

// between returns a client of m, and a function that makes a call of it. What is given as
// meanwhile is done whenever that call sends a second message, or a further one, to the
// manager: before the message arrives there.
func between(t *testing.T, m *crawl.Manager) (c *crawl.Client, call func(do, meanwhile func())) {
	t.Helper()
	// A path of this length has room in a socket's address.
	dir, err := os.MkdirTemp("", "relay-")
	require.NoError(t, err, "the test could not make a folder")
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	require.NoError(t, err, "the test could not listen")
	defer l.Close()
	c, err = crawl.Dial(l.Addr().String())
	require.NoError(t, err, "Dial failed")
	theirs, err := l.Accept()
	require.NoError(t, err, "Dial did not connect to the socket that it was given")
	ours, err := net.Dial("unix", m.Addr())
	require.NoError(t, err, "the manager did not listen on a Unix socket at its address")

	var messages atomic.Int64
	var hook atomic.Pointer[func()]
	relay := func(to, from net.Conn, look bool) {
		for b := make([]byte, 1<<16); ; {
			n, err := from.Read(b)
			if n > 0 && look && messages.Add(1) > 1 {
				if f := hook.Load(); f != nil {
					(*f)()
				}
			}
			if _, failed := to.Write(b[:n]); err != nil || failed != nil {
				to.Close()
				return
			}
		}
	}
	var both sync.WaitGroup
	both.Go(func() { relay(ours, theirs, true) })
	both.Go(func() { relay(theirs, ours, false) })
	t.Cleanup(func() {
		c.Close()
		both.Wait()
		theirs.Close()
		ours.Close()
	})
	return c, func(do, meanwhile func()) {
		messages.Store(0)
		hook.Store(&meanwhile)
		do()
		hook.Store(nil)
	}
}

// Another client is quick enough to do something in the middle of a call, if it has one.
func TestCallsAreAtomic(t *testing.T) {
	harness.Test(t)
	m, c := manager(t)
	slow, call := between(t, m)
	theirs, mine := crawl.NewDict[int](c, "d"), crawl.NewDict[int](slow, "d")
	theirList, list := crawl.NewList[int](c, "l"), crawl.NewList[int](slow, "l")
	n := 0
	set := func() { // both values are the same when it has returned
		if n++; n > 100 {
			return // a call that begins anew has had its chance
		}
		for i, key := range []string{"a", "b"} {
			assert.NoError(t, theirs.Set(key, n), "Set failed")
			assert.NoError(t, theirList.Set(i, n), "Set failed")
		}
	}
	require.NoError(t, theirList.Append(0), "Append failed")
	require.NoError(t, theirList.Append(0), "Append failed")
	set()
	_, err := mine.Len() // the first message on a connection may come in pieces
	require.NoError(t, err, "Len failed")

	var all map[string]int
	call(func() { all, err = mine.All() }, set)
	require.NoError(t, err, "All failed")
	assert.Len(t, all, 2, "All returned another number of keys")
	assert.Equal(t, all["a"], all["b"], "All was a mixture of a dict's states at several moments")
	var values []int
	call(func() { values, err = list.All() }, set)
	require.NoError(t, err, "All failed")
	require.Len(t, values, 2, "All returned another number of values")
	assert.Equal(t, values[0], values[1], "All was a mixture of a list's states at several moments")

	deletes := 0
	call(func() {
		ok, err := mine.Delete("a")
		assert.NoError(t, err, "Delete failed")
		if ok {
			deletes++
		}
	}, func() {
		if ok, _ := theirs.Delete("a"); ok {
			deletes++
		}
	})
	assert.Equal(t, 1, deletes, "two clients deleted one key, and another number of them was told that it was there")
	call(func() { assert.NoError(t, list.Append(-1), "Append failed") }, func() { theirList.Append(-2) })
	values, err = theirList.All()
	require.NoError(t, err, "All failed")
	assert.Contains(t, values, -1, "Append lost its value when another client appended one meanwhile")
}

// While f of an Update runs, nobody waits for it: neither others nor f itself.
func TestUpdateHoldsUpNobody(t *testing.T) {
	harness.Test(t)
	m, c := manager(t)
	d, other := crawl.NewDict[int](c, "d"), crawl.NewDict[int](dial(t, m), "d")
	require.NoError(t, d.Update("key", func(n int, _ bool) int {
		for _, proxy := range []crawl.Dict[int]{d, other} {
			assert.NoError(t, proxy.Set("another", 1), "Set of another key failed in f of an Update")
			_, _, err := proxy.Get("key")
			assert.NoError(t, err, "Get of the key failed in f of its Update")
		}
		return n + 1
	}), "Update failed whose f used proxies")
	n, _, err := d.Get("key")
	require.NoError(t, err, "Get failed")
	assert.Equal(t, 1, n, "Update left a wrong result, though only f had used proxies meanwhile")
}

func TestClosedClient(t *testing.T) {
	harness.Test(t)
	m, c := manager(t)
	other := dial(t, m)
	require.NoError(t, crawl.NewDict[int](c, "d").Set("key", 1), "Set failed")
	require.NoError(t, crawl.NewList[int](c, "l").Append(1), "Append failed")
	require.NoError(t, c.Close(), "Close failed")
	for _, row := range calls(c) {
		assert.Error(t, row.call(), "%s told of no error after its client was closed", row.name)
	}
	// What it had no part in is as it was.
	n, ok, err := crawl.NewDict[int](other, "d").Get("key")
	require.NoError(t, err, "Get failed, of another client than the one that was closed")
	assert.True(t, ok && n == 1, "a call of a client that was closed changed the dict")
	length, err := crawl.NewList[int](other, "l").Len()
	require.NoError(t, err, "Len failed, of another client than the one that was closed")
	assert.Equal(t, 1, length, "a call of a client that was closed changed the list")
}
