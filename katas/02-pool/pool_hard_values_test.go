package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	pool "prokata/katas/02-pool"
)

func init() { reexec.Register("pool-test-printer", printer) }

// unknown is a type that gob cannot carry inside an interface: nobody registered it.
type unknown struct{ N int }

// wrap returns its argument, wrapped in a type that cannot be encoded if it is odd.
var wrap = pool.Register("wrap", func(n int) (any, error) {
	if n%2 != 0 {
		return unknown{n}, nil
	}
	return n, nil
})

var unwrap = pool.Register("unwrap", func(v any) (int, error) {
	n, _ := v.(int)
	return n, nil
})

// A parcel comes apart where its text says.
type parcel struct{ Torn string }

func (p parcel) GobEncode() ([]byte, error) {
	if p.Torn == "at the start" {
		return nil, errors.New("torn " + p.Torn)
	}
	return []byte(p.Torn), nil
}

func (p *parcel) GobDecode(b []byte) error {
	p.Torn = string(b)
	if p.Torn == "on arrival" {
		return errors.New("torn " + p.Torn)
	}
	return nil
}

var send = pool.Register("send", func(p parcel) (string, error) { return p.Torn, nil })

var fetch = pool.Register("fetch", func(torn string) (parcel, error) { return parcel{torn}, nil })

var listen = pool.Register("listen", func(c chan int) (int, error) { return cap(c), nil })

func TestCannotBeEncoded(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)

	results, err := pool.Map(t.Context(), p, wrap, []int{0, 1, 2, 3})
	errs := failures(t, err)
	assert.Len(t, errs, 2, "Map did not return one error for each of two results that cannot be encoded")
	assert.Error(t, errs[1], "Map returned no error for the second result, which cannot be encoded")
	assert.Error(t, errs[3], "Map returned no error for the fourth result, which cannot be encoded")
	assert.Equal(t, []any{0, nil, 2, nil}, results, "Map did not return the results that can be encoded")

	numbers, err := pool.Map(t.Context(), p, unwrap, []any{7, unknown{1}, 8})
	errs = failures(t, err)
	assert.Len(t, errs, 1, "Map did not return one error, for the one argument that cannot be encoded")
	assert.Error(t, errs[1], "Map returned no error for the second argument, which cannot be encoded")
	assert.Equal(t, []int{7, 0, 8}, numbers, "Map did not return the results of the arguments that can be encoded")

	_, err = pool.Map(t.Context(), p, listen, []chan int{make(chan int)})
	assert.Len(t, failures(t, err), 1, "Map did not return one error, for a channel, which cannot be encoded")

	_, err = pool.Map(t.Context(), p, send, []parcel{{"never"}, {"at the start"}, {"on arrival"}})
	errs = failures(t, err)
	assert.Len(t, errs, 2, "Map did not return one error for each of two arguments, one that cannot be encoded and one that cannot be decoded")
	assert.ErrorContains(t, errs[1], "torn at the start", "Map did not tell why an argument could not be encoded")
	assert.ErrorContains(t, errs[2], "torn on arrival", "Map did not tell why an argument could not be decoded")

	_, err = pool.Map(t.Context(), p, fetch, []string{"never", "at the start", "on arrival"})
	errs = failures(t, err)
	assert.Len(t, errs, 2, "Map did not return one error for each of two results, one that cannot be encoded and one that cannot be decoded")
	assert.ErrorContains(t, errs[1], "torn at the start", "Map did not tell why a result could not be encoded")
	assert.ErrorContains(t, errs[2], "torn on arrival", "Map did not tell why a result could not be decoded")

	workers(t, p, 2) // both are well
}

var chatty = pool.Register("chatty", func(n int) (int, error) {
	fmt.Println("the task is talking to itself:", strings.Repeat("bla ", 50))
	fmt.Fprintln(os.Stderr, "and complaining")
	return n, nil
})

var curious = pool.Register("curious", func(n int) (int, error) {
	var nothing [1]byte
	if got, _ := os.Stdin.Read(nothing[:]); got > 0 {
		return 0, errors.New("standard input was not empty")
	}
	return n, nil
})

// What a task prints, or reads, must not disturb the conversation with the pool. It
// is printed where the pool's own process prints.
func TestTaskPrints(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	got, err := pool.Map(t.Context(), p, chatty, []int{1, 2, 3})
	require.NoError(t, err, "Map returned an error, though no task had done anything but print")
	assert.Equal(t, []int{1, 2, 3}, got, "Map returned wrong results of tasks that printed")
	got, err = pool.Map(t.Context(), p, curious, []int{4, 5})
	require.NoError(t, err, "Map returned an error, though no task had done anything but read from its standard input, which is empty")
	assert.Equal(t, []int{4, 5}, got, "Map returned wrong results of tasks that read from their standard input")

	cmd := exec.Command(reexec.Self())
	cmd.Args = []string{"pool-test-printer"}
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	require.NoError(t, cmd.Run(), "a process whose pool's tasks printed did not end well")
	assert.Equal(t, 3, strings.Count(out.String(), "talking"), "the standard output of the pool's process did not get what three tasks had printed")
	assert.Equal(t, 3, strings.Count(complaints.String(), "complaining"), "the standard error of the pool's process did not get what three tasks had printed")
}

// printer is a process whose tasks print.
func printer() {
	p, err := pool.New(pool.Options{Workers: 1})
	if err == nil {
		_, err = pool.Map(context.Background(), p, chatty, []int{1, 2, 3})
		err = errors.Join(err, p.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "printer:", err)
		os.Exit(1)
	}
}

var double = pool.Register("double", func(b []byte) ([]byte, error) { return append(b, b...), nil })

// Arguments and results that no pipe can hold.
func TestLargeValues(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	var inputs [][]byte
	for i := range 6 {
		inputs = append(inputs, bytes.Repeat([]byte{byte(i)}, 1<<20))
	}
	results, err := pool.Map(t.Context(), p, double, inputs)
	require.NoError(t, err, "Map returned an error, though no task had failed")
	require.Equal(t, 6, len(results), "Map did not return one result for each input")
	for i, r := range results {
		assert.True(t, bytes.Equal(bytes.Repeat([]byte{byte(i)}, 2<<20), r), "result %d, of %d bytes, was damaged", i, len(r))
	}
}
