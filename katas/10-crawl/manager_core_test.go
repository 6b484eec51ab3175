package crawl_test

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	crawl "prokata/katas/10-crawl"
)

func TestDict(t *testing.T) {
	harness.Test(t)
	_, c := manager(t)
	d := crawl.NewDict[string](c, "words")

	n, err := d.Len()
	require.NoError(t, err, "Len failed")
	assert.Zero(t, n, "a new dict was not empty")
	_, ok, err := d.Get("one")
	require.NoError(t, err, "Get failed")
	assert.False(t, ok, "a new dict had a key")

	for _, kv := range [][2]string{{"two", "deux"}, {"one", "eins"}, {"", "empty"}, {"one", "un"}, {"ζ", "six"}} {
		require.NoError(t, d.Set(kv[0], kv[1]), "Set failed")
	}
	v, ok, err := d.Get("one")
	require.NoError(t, err, "Get failed")
	assert.True(t, ok, "a key that was set was not there")
	assert.Equal(t, "un", v, "Get did not return what was set last")
	keys, err := d.Keys()
	require.NoError(t, err, "Keys failed")
	assert.Equal(t, []string{"", "one", "two", "ζ"}, keys, "Keys were wrong, or not in ascending order")

	ok, err = d.Delete("two")
	require.NoError(t, err, "Delete failed")
	assert.True(t, ok, "Delete did not report that the key was there")
	ok, err = d.Delete("two")
	require.NoError(t, err, "Delete failed")
	assert.False(t, ok, "Delete reported a key that was not there")
	n, err = d.Len()
	require.NoError(t, err, "Len failed")
	assert.Equal(t, 3, n, "Len was wrong")
	all, err := d.All()
	require.NoError(t, err, "All failed")
	assert.Equal(t, map[string]string{"": "empty", "one": "un", "ζ": "six"}, all, "All was wrong")

	// Another proxy of the name stands for the same dict, another name does not.
	v, _, err = crawl.NewDict[string](c, "words").Get("ζ")
	require.NoError(t, err, "Get failed")
	assert.Equal(t, "six", v, "a second proxy did not stand for the same dict")
	n, err = crawl.NewDict[string](c, "other").Len()
	require.NoError(t, err, "Len failed")
	assert.Zero(t, n, "two names stood for the same dict")

	// A value is as long as it likes.
	long := strings.Repeat("0123456789abcdef", 1<<16)
	require.NoError(t, d.Set("long", long), "Set failed")
	v, _, err = d.Get("long")
	require.NoError(t, err, "Get failed")
	assert.True(t, v == long, "a value of 1 MiB came back changed")
}

func TestList(t *testing.T) {
	harness.Test(t)
	_, c := manager(t)
	l := crawl.NewList[crawl.Host](c, "hosts")

	all, err := l.All()
	require.NoError(t, err, "All failed")
	assert.Empty(t, all, "a new list was not empty")
	for i := range 5 {
		require.NoError(t, l.Append(crawl.Host{Pages: i}), "Append failed")
	}
	n, err := l.Len()
	require.NoError(t, err, "Len failed")
	assert.Equal(t, 5, n, "Len was wrong")
	require.NoError(t, l.Set(1, crawl.Host{Pages: 10, Bytes: 1 << 40}), "Set failed")
	v, err := l.Get(1)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, crawl.Host{Pages: 10, Bytes: 1 << 40}, v, "Get did not return what was set")
	require.NoError(t, l.Delete(0), "Delete failed")
	all, err = l.All()
	require.NoError(t, err, "All failed")
	assert.Equal(t, []crawl.Host{{Pages: 10, Bytes: 1 << 40}, {Pages: 2}, {Pages: 3}, {Pages: 4}}, all, "All was wrong after a Delete")

	for _, i := range []int{-1, 4, 1 << 40} {
		_, err := l.Get(i)
		assert.ErrorIs(t, err, crawl.ErrIndex, "Get(%d) of a list of 4 did not tell that there is none", i)
		assert.ErrorIs(t, l.Set(i, crawl.Host{}), crawl.ErrIndex, "Set(%d) of a list of 4 did not tell that there is none", i)
		assert.ErrorIs(t, l.Delete(i), crawl.ErrIndex, "Delete(%d) of a list of 4 did not tell that there is none", i)
	}
	n, err = l.Len()
	require.NoError(t, err, "the manager did not survive a wrong index")
	assert.Equal(t, 4, n, "a call with a wrong index changed the list")

	// A dict of the same name is another thing.
	n, err = crawl.NewDict[crawl.Host](c, "hosts").Len()
	require.NoError(t, err, "Len failed")
	assert.Zero(t, n, "a list and a dict of one name were the same")
}

func TestManagerServesOtherProcesses(t *testing.T) {
	harness.Test(t)
	m, c := manager(t)
	assert.NotEqual(t, os.Getpid(), m.PID(), "the manager was no process of its own")
	numbers := crawl.NewDict[int](c, "numbers")
	require.NoError(t, numbers.Set("sum", 40), "Set failed")

	cmd := reexec.Command("crawl-client", m.Addr(), strconv.Itoa(2))
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Run(), "a client in another process could not use the manager")
	sum, _, err := numbers.Get("sum")
	require.NoError(t, err, "Get failed")
	assert.Equal(t, 42, sum, "what another process changed was not seen here")
	who, err := crawl.NewList[int](c, "who").All()
	require.NoError(t, err, "All failed")
	assert.Equal(t, []int{cmd.Process.Pid}, who, "what another process appended was not seen here")
}

func TestGetReturnsACopy(t *testing.T) {
	harness.Test(t)
	m, c := manager(t)
	d := crawl.NewDict[[]int](c, "d")
	require.NoError(t, d.Set("list", []int{1, 2, 3}), "Set failed")

	copied, _, err := d.Get("list")
	require.NoError(t, err, "Get failed")
	require.Len(t, copied, 3, "Get returned another list than was set")
	copied[0] = 100
	again, _, err := d.Get("list")
	require.NoError(t, err, "Get failed")
	assert.Equal(t, []int{1, 2, 3}, again, "a change of the copy changed the dict, without a write back")
	require.NoError(t, d.Set("list", copied), "Set failed")
	// The others have proxies of their own, and see what was written back.
	again, _, err = crawl.NewDict[[]int](dial(t, m), "d").Get("list")
	require.NoError(t, err, "Get failed")
	assert.Equal(t, []int{100, 2, 3}, again, "the value that was written back was not seen by another client")
	copied[1] = 200
	again, _, err = d.Get("list")
	require.NoError(t, err, "Get failed")
	assert.Equal(t, []int{100, 2, 3}, again, "a change after the write back changed the dict")
}

func TestShutdownEndsTheManager(t *testing.T) {
	harness.Test(t)
	m, c := manager(t)
	require.NoError(t, crawl.NewDict[int](c, "d").Set("key", 1), "Set failed")
	select {
	case <-m.Done():
		t.Errorf("Done was closed while the manager served")
	default:
	}
	// Its client is still connected, and will be: Shutdown cannot wait for that.
	require.NoError(t, m.Shutdown(), "Shutdown failed")
	<-m.Done()
	assert.ErrorIs(t, errno(m.PID()), syscall.ESRCH, "Shutdown returned before the manager had ended")
	_, err := os.Stat(m.Addr())
	assert.ErrorIs(t, err, os.ErrNotExist, "the manager left its socket")
	_, _, err = crawl.NewDict[int](c, "d").Get("key")
	assert.ErrorIs(t, err, crawl.ErrManagerLost, "a proxy did not tell, after Shutdown, that the manager was lost")
	_, err = crawl.Dial(m.Addr())
	assert.ErrorIs(t, err, crawl.ErrManagerLost, "Dial did not tell, after Shutdown, that the manager was lost")
}
