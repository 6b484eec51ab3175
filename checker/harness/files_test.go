package harness

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// openFiles opens n files, and closes what it could open.
func openFiles(t *testing.T, n int) error {
	for range n {
		fd, err := syscall.Dup(0)
		if err != nil {
			return err
		}
		defer func() { assert.NoError(t, syscall.Close(fd)) }()
	}
	return nil
}

func TestUntilItFits(t *testing.T) {
	for range 3 { // leave a gap
		low, err := os.Open(os.DevNull)
		require.NoError(t, err)
		high, err := os.Open(os.DevNull)
		require.NoError(t, err)
		defer high.Close()
		require.NoError(t, low.Close())
	}
	for _, files := range []int{0, 1, 5, mostFiles} {
		var errs []error
		failed := UntilItFits(t, func() error {
			err := openFiles(t, files)
			if err != nil {
				errs = append(errs, err)
			}
			return err
		})
		assert.Equal(t, files, failed, "each of %d steps is to fail once", files)
		assert.Len(t, errs, files)
		for _, err := range errs {
			assert.ErrorIs(t, err, syscall.EMFILE)
		}
	}
	f, err := os.Open(os.DevNull)
	require.NoError(t, err, "the bound was left behind")
	require.NoError(t, f.Close())
}

// broken is a test that is stopped.
type broken struct {
	testing.TB
	said string
}

func (b *broken) Helper() {}

func (b *broken) Fatalf(format string, args ...any) {
	b.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestUntilItFitsRefuses(t *testing.T) {
	for want, open := range map[string]func() error{
		"it needed more than 100 open files: too many open files": func() error { return openFiles(t, mostFiles+1) },
		"there was room for 1 open files more, which was too few, and the error tells another reason: cannot": func() error {
			if err := openFiles(t, 1); err != nil {
				return err
			}
			return errors.New("cannot")
		},
	} {
		b := &broken{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			UntilItFits(b, open, syscall.EMFILE)
		}()
		<-done
		assert.Equal(t, want, b.said)
	}
}
