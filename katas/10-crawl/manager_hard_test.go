package crawl_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
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
		require.NoError(t, err, "Delete failed")
		var seen []bool
		require.NoError(t, mine.Update("n", func(n int, ok bool) int {
			if seen = append(seen, ok); len(seen) == 1 {
				assert.NoError(t, row.change(), "there could not be %s while f of an Update ran", row.name)
			}
			return n + 1
		}), "Update failed, while there was %s", row.name)
		got, _, err := mine.Get("n")
		require.NoError(t, err, "Get failed")
		assert.Equal(t, row.want, got, "Update left a wrong result, when there was %s meanwhile", row.name)
		assert.False(t, seen[0], "f was told of a value that was not there")
		if row.want > 1 {
			assert.Equal(t, []bool{false, true}, seen, "f was not called again with the changed value")
		} else {
			assert.Len(t, seen, 1, "f was called again, although the key had not changed")
		}
	}
	// A key that is deleted in between is a change as well.
	require.NoError(t, mine.Set("n", 5), "Set failed")
	first := true
	require.NoError(t, mine.Update("n", func(n int, ok bool) int {
		if first {
			first = false
			_, err := other.Delete("n")
			assert.NoError(t, err, "Delete failed")
		}
		return n + 1
	}), "Update of a key failed that was deleted meanwhile")
	got, _, err := mine.Get("n")
	require.NoError(t, err, "Get failed")
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
		require.NoError(t, cmd.Start(), "the test could not start a child")
		clients = append(clients, cmd)
	}
	for _, cmd := range clients {
		assert.NoError(t, cmd.Wait(), "a client could not use the manager")
	}
	sum, _, err := crawl.NewDict[int](c, "numbers").Get("sum")
	require.NoError(t, err, "Get failed")
	assert.Equal(t, 400, sum, "Update lost changes: 4 processes added 1 to a key, 100 times each")
	who, err := crawl.NewList[int](c, "who").Len()
	require.NoError(t, err, "Len failed")
	assert.Equal(t, 4, who, "Append lost values: 4 processes appended one each")
}

func TestGoroutinesShareAClient(t *testing.T) {
	harness.Test(t)
	_, c := manager(t)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			d, key := crawl.NewDict[int](c, "d"), strconv.Itoa(i)
			for n := range 50 {
				if !assert.NoError(t, d.Set(key, n), "Set failed beside other goroutines") {
					return
				}
				got, _, err := d.Get(key)
				if !assert.NoError(t, err, "Get failed beside other goroutines") || !assert.Equal(t, n, got, "a goroutine got the answer to another's question") {
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
	require.NoError(t, d.Set("key", "old"), "Set failed")
	require.NoError(t, l.Append("old"), "Append failed")

	bad := make(chan int)
	assert.Error(t, d.Set("key", bad), "Set accepted a channel")
	assert.Error(t, d.Update("key", func(any, bool) any { return bad }), "Update accepted a channel")
	assert.Error(t, l.Append(bad), "Append accepted a channel")
	assert.Error(t, l.Set(0, bad), "Set accepted a channel")
	// Nor can everything be decoded.
	numbers, list := crawl.NewDict[int](c, "d"), crawl.NewList[int](c, "l")
	_, _, err := numbers.Get("key")
	assert.Error(t, err, "Get made a number of a string")
	_, err = numbers.All()
	assert.Error(t, err, "All made a number of a string")
	assert.Error(t, numbers.Update("key", func(int, bool) int {
		t.Errorf("Update made a number of a string")
		return 0
	}), "Update did not tell that the value was no number")
	_, err = list.Get(0)
	assert.Error(t, err, "Get made a number of a string in the list")
	_, err = list.All()
	assert.Error(t, err, "All made a number of a string in the list")

	v, ok, err := d.Get("key")
	require.NoError(t, err, "the client did not survive a value that cannot be encoded")
	assert.True(t, ok, "a value that was refused removed the key")
	assert.Equal(t, "old", v, "a value that was refused changed the dict")
	all, err := l.All()
	require.NoError(t, err, "All failed")
	assert.Equal(t, []any{"old"}, all, "a value that was refused changed the list")
}

func TestManagerBearsBadClients(t *testing.T) {
	harness.Test(t)
	m, c := manager(t)
	d := crawl.NewDict[int](c, "d")
	require.NoError(t, d.Set("key", 1), "Set failed")
	raw := func(send string) net.Conn {
		conn, err := net.Dial("unix", m.Addr())
		require.NoError(t, err, "the manager did not listen on a Unix socket at its address")
		_, err = conn.Write([]byte(send))
		require.NoError(t, err, "the test could not write to the manager")
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
	assert.Equal(t, 1, v, "a bad client changed what the manager held")
	v, _, err = crawl.NewDict[int](dial(t, m), "d").Get("key")
	require.NoError(t, err, "a bad client kept a new one from the manager")
	assert.Equal(t, 1, v, "a bad client changed what the manager held")
}

func TestKilledManagerIsAnError(t *testing.T) {
	harness.Test(t)
	m, c := manager(t)
	d := crawl.NewDict[int](c, "d")
	require.NoError(t, d.Set("key", 1), "Set failed")
	require.NotEqual(t, os.Getpid(), m.PID(), "the manager was no process of its own")
	err := d.Update("key", func(n int, _ bool) int {
		assert.NoError(t, syscall.Kill(m.PID(), syscall.SIGKILL), "the test could not send a signal: the process had ended too early")
		<-m.Done()
		return n + 1
	})
	assert.ErrorIs(t, err, crawl.ErrManagerLost, "Update did not tell that the manager was killed in its middle")

	for _, row := range calls(c) {
		assert.ErrorIs(t, row.call(), crawl.ErrManagerLost, "%s did not tell, after the manager was killed, that it was lost", row.name)
	}
	assert.ErrorIs(t, d.Update("key", func(int, bool) int {
		t.Errorf("Update called f though there was no manager to ask for the old value")
		return 0
	}), crawl.ErrManagerLost, "Update did not tell, after the manager was killed, that it was lost")
	_, err = crawl.Dial(m.Addr())
	assert.ErrorIs(t, err, crawl.ErrManagerLost, "Dial did not tell, after the manager was killed, that it was lost")
	assert.ErrorIs(t, m.Shutdown(), crawl.ErrManagerLost, "Shutdown did not tell that the manager had been killed")
	_, err = os.Stat(m.Addr())
	assert.ErrorIs(t, err, os.ErrNotExist, "the socket of a killed manager was left")
}

// A namedCall is one call of a proxy.
type namedCall struct {
	name string
	call func() error
}

// calls returns a call of each method, of a dict "d" with the key "key" and of a list "l".
func calls(c *crawl.Client) []namedCall {
	d, l := crawl.NewDict[int](c, "d"), crawl.NewList[int](c, "l")
	return []namedCall{
		{"Dict.Set", func() error { return d.Set("key", 2) }},
		{"Dict.Get", func() error { _, _, err := d.Get("key"); return err }},
		{"Dict.Update", func() error { return d.Update("key", func(int, bool) int { return 3 }) }},
		{"Dict.Len", func() error { _, err := d.Len(); return err }},
		{"Dict.Keys", func() error { _, err := d.Keys(); return err }},
		{"Dict.All", func() error { _, err := d.All(); return err }},
		{"Dict.Delete", func() error { _, err := d.Delete("key"); return err }},
		{"List.Append", func() error { return l.Append(1) }},
		{"List.Get", func() error { _, err := l.Get(0); return err }},
		{"List.Set", func() error { return l.Set(0, 1) }},
		{"List.Len", func() error { _, err := l.Len(); return err }},
		{"List.All", func() error { _, err := l.All(); return err }},
		{"List.Delete", func() error { return l.Delete(0) }},
	}
}

func TestManagerThatCannotStart(t *testing.T) {
	harness.Test(t)
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	var m *crawl.Manager
	var err error
	for room := range 100 {
		harness.WithFiles(t, room, func() { m, err = crawl.StartManager() })
		if err == nil {
			break
		}
		left, listing := os.ReadDir(tmp)
		require.NoError(t, listing, "the test could not list a folder")
		assert.Empty(t, left, "the manager could not be started, and left files: %v", err)
	}
	require.NoError(t, err, "a manager needed more than 100 files")
	assert.NoError(t, m.Shutdown(), "Shutdown failed")

	// It has to do without this folder: elsewhere, or not at all.
	t.Setenv("TMPDIR", filepath.Join(tmp, "missing"))
	if m, err = crawl.StartManager(); err == nil {
		require.NotNil(t, m, "StartManager returned neither a manager nor an error")
		assert.True(t, filepath.IsAbs(m.Addr()) || m.Addr()[0] == '@', "no process in another folder can dial %q", m.Addr())
		assert.NoError(t, m.Shutdown(), "Shutdown failed")
		_, err = os.Stat(m.Addr())
		assert.ErrorIs(t, err, os.ErrNotExist, "the manager left its socket")
	}
}
