package crawl_test

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	crawl "prokata/katas/10-crawl"
)

func TestUpdateLosesNoChange(t *testing.T) {
	harness.Test(t)
	m, c := manager(t)
	mine, other := crawl.NewDict[int](c, "numbers"), crawl.NewDict[int](dial(t, m), "numbers")
	plus := func(n int, _ bool) int { return n + 1 }
	for _, row := range []struct {
		name   string
		change func() error // by another client, while f runs
		want   int
	}{
		{"an update of the same key", func() error { return other.Update("n", plus) }, 2},
		{"a set of the same key", func() error { return other.Set("n", 100) }, 101},
		{"an update of another key", func() error { return other.Update("m", plus) }, 1},
		{"no change", func() error { return nil }, 1},
	} {
		_, err := mine.Delete("n")
		require.NoError(t, err)
		var seen []bool
		require.NoError(t, mine.Update("n", func(n int, ok bool) int {
			if seen = append(seen, ok); len(seen) == 1 {
				assert.NoError(t, row.change(), row.name)
			}
			return n + 1
		}))
		got, _, err := mine.Get("n")
		require.NoError(t, err)
		assert.Equal(t, row.want, got, "during an Update, there was %s: the result was wrong", row.name)
		assert.False(t, seen[0], "f was told of a value that was not there")
		if row.want > 1 {
			assert.Equal(t, []bool{false, true}, seen, "f was not called again with the changed value")
		} else {
			assert.Len(t, seen, 1, "f was called again, although the key had not changed")
		}
	}
	// A key that is deleted in between is a change as well.
	require.NoError(t, mine.Set("n", 5))
	first := true
	require.NoError(t, mine.Update("n", func(n int, ok bool) int {
		if first {
			first = false
			_, err := other.Delete("n")
			assert.NoError(t, err)
		}
		return n + 1
	}))
	got, _, err := mine.Get("n")
	require.NoError(t, err)
	assert.Equal(t, 1, got, "Update brought back a value that had been deleted")
}

func TestManyProcessesUpdateOneKey(t *testing.T) {
	harness.Test(t)
	m, c := manager(t)
	var clients []*exec.Cmd
	for range 4 {
		cmd := reexec.Command("crawl-client", m.Addr(), strconv.Itoa(100))
		cmd.SysProcAttr = nil
		cmd.Stderr = os.Stderr
		require.NoError(t, cmd.Start())
		clients = append(clients, cmd)
	}
	for _, cmd := range clients {
		assert.NoError(t, cmd.Wait(), "a client could not use the manager")
	}
	sum, _, err := crawl.NewDict[int](c, "numbers").Get("sum")
	require.NoError(t, err)
	assert.Equal(t, 400, sum, "4 processes added 1 to a key, 100 times each")
	who, err := crawl.NewList[int](c, "who").Len()
	require.NoError(t, err)
	assert.Equal(t, 4, who, "4 processes appended to a list")
}

func TestGoroutinesShareAClient(t *testing.T) {
	harness.Test(t)
	_, c := manager(t)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			d, key := crawl.NewDict[int](c, "d"), strconv.Itoa(i)
			for n := range 50 {
				if !assert.NoError(t, d.Set(key, n)) {
					return
				}
				got, _, err := d.Get(key)
				if !assert.NoError(t, err) || !assert.Equal(t, n, got, "a goroutine got the answer to another's question") {
					return
				}
			}
		})
	}
	all.Wait()
}

func TestRefusesWhatCannotBeEncoded(t *testing.T) {
	harness.Test(t)
	_, c := manager(t)
	d, l := crawl.NewDict[any](c, "d"), crawl.NewList[any](c, "l")
	require.NoError(t, d.Set("key", "old"))
	require.NoError(t, l.Append("old"))

	bad := make(chan int)
	assert.Error(t, d.Set("key", bad), "Set accepted a channel")
	assert.Error(t, d.Update("key", func(any, bool) any { return bad }), "Update accepted a channel")
	assert.Error(t, l.Append(bad), "Append accepted a channel")
	assert.Error(t, l.Set(0, bad), "Set accepted a channel")
	_, _, err := crawl.NewDict[int](c, "d").Get("key")
	assert.Error(t, err, "Get made a number of a string")

	v, ok, err := d.Get("key")
	require.NoError(t, err, "the client did not survive a value that cannot be encoded")
	assert.True(t, ok)
	assert.Equal(t, "old", v, "a value that was refused changed the dict")
	all, err := l.All()
	require.NoError(t, err)
	assert.Equal(t, []any{"old"}, all, "a value that was refused changed the list")
}

func TestManagerBearsBadClients(t *testing.T) {
	harness.Test(t)
	m, c := manager(t)
	d := crawl.NewDict[int](c, "d")
	require.NoError(t, d.Set("key", 1))
	raw := func(send string) net.Conn {
		conn, err := net.Dial("unix", m.Addr())
		require.NoError(t, err, "the manager did not listen on a Unix socket at its address")
		_, err = conn.Write([]byte(send))
		require.NoError(t, err)
		return conn
	}
	silent, half := raw(""), raw("\x40")
	defer silent.Close()
	defer half.Close()
	raw("GET / HTTP/1.1\r\nHost: manager\r\n\r\n").Close()
	huge := raw("\xf8\x7f\xff\xff\xff\xff\xff\xff\xff") // 2^63-1 bytes are to follow
	huge.(*net.UnixConn).CloseWrite()
	huge.Read(make([]byte, 1)) // the manager has seen it, and has hung up
	huge.Close()

	v, _, err := d.Get("key")
	require.NoError(t, err, "a bad client ended the manager")
	assert.Equal(t, 1, v)
	v, _, err = crawl.NewDict[int](dial(t, m), "d").Get("key")
	require.NoError(t, err, "a bad client kept a new one from the manager")
	assert.Equal(t, 1, v)
}

func TestKilledManagerIsAnError(t *testing.T) {
	harness.Test(t)
	m, c := manager(t)
	d := crawl.NewDict[int](c, "d")
	require.NoError(t, d.Set("key", 1))
	require.NotEqual(t, os.Getpid(), m.PID(), "the manager was no process of its own")
	require.NoError(t, syscall.Kill(m.PID(), syscall.SIGKILL))
	_, _, err := d.Get("key")
	assert.ErrorIs(t, err, crawl.ErrManagerLost, "a proxy's call after the manager was killed")
	assert.ErrorIs(t, d.Set("key", 2), crawl.ErrManagerLost)
	assert.ErrorIs(t, crawl.NewList[int](c, "l").Append(1), crawl.ErrManagerLost)
	<-m.Done()
	_, err = crawl.Dial(m.Addr())
	assert.ErrorIs(t, err, crawl.ErrManagerLost, "Dial after the manager was killed")
	assert.ErrorIs(t, m.Shutdown(), crawl.ErrManagerLost, "Shutdown did not tell that the manager had been killed")
	_, err = os.Stat(m.Addr())
	assert.ErrorIs(t, err, os.ErrNotExist, "the socket of a killed manager was left")
}
