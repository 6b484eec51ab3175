package sharedmemory_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	sharedmemory "prokata/katas/03-shared-memory"
)

func init() { reexec.Register("shared-memory-crosswise", crosswise) }

// crosswise holds the lock of its second segment, and waits for that of the first in
// another goroutine.
func crosswise() {
	one, err1 := sharedmemory.Open(os.NewFile(3, "segment one"))
	two, err2 := sharedmemory.Open(os.NewFile(4, "segment two"))
	err := errors.Join(err1, err2)
	if err == nil {
		err = two.Lock().Acquire(context.Background())
	}
	fmt.Println(word(err))
	if err != nil {
		os.Exit(1)
	}
	acquired := make(chan struct{})
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		switch in.Text() {
		case "wait":
			fmt.Println("begun")
			go func() {
				err := one.Lock().Acquire(context.Background())
				close(acquired)
				fmt.Println(word(err))
			}()
		case "release one":
			<-acquired
			fmt.Println(word(one.Lock().Release()))
		case "release two":
			fmt.Println(word(two.Lock().Release()))
		case "close":
			fmt.Println(word(errors.Join(one.Close(), two.Close())))
		}
	}
}

// Two processes have one lock each and wait for that of the other one, each with a
// goroutine that only waits, while another one can release. There is no circle of
// goroutines, and so no reason to fail.
func TestTwoLocksCrosswise(t *testing.T) {
	harness.Test(t)
	one, two := create(t, 1), create(t, 1)
	require.NoError(t, one.Lock().Acquire(context.Background()), "Acquire returned an error, though the lock was free")
	child := startChild(t, "shared-memory-crosswise", one.File(), two.File())
	require.Equal(t, "ok", child.answer(), "a child could not open two segments and acquire the lock of one")

	got := make(chan error, 1)
	go func() { got <- two.Lock().Acquire(context.Background()) }()
	harness.Waiting(t, os.Getpid())
	require.Equal(t, "begun", child.ask("wait"), "a child did not begin to acquire the lock")
	waitsForLock(child)
	require.NoError(t, one.Lock().Release(), "Release returned an error, though this process held the lock")
	require.Equal(t, "ok", child.answer(), "Acquire returned an error to a goroutine, because its process held another lock for which the owner waited in another goroutine")
	require.Equal(t, "ok", child.ask("release two"), "Release returned an error to the child that held the lock")
	require.NoError(t, <-got, "Acquire returned an error, though the child that held the lock had released it")
	assert.Equal(t, "ok", child.ask("release one"), "Release returned an error to the child that held the lock")
	require.NoError(t, two.Lock().Release(), "Release returned an error, though this process held the lock")
	child.end()
}
