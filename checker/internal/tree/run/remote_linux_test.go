package run

import (
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A supervisor that was stopped goes on, whoever stopped it, and that is told.
func TestGoOn(t *testing.T) {
	cmd := exec.Command("sh", "-c", "kill -STOP $$; exit 7")
	require.NoError(t, cmd.Start())
	over, stops := make(chan struct{}), make(chan int)
	go func() { stops <- goOn(cmd.Process.Pid, over) }()
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	close(over)
	assert.Equal(t, 7, exit.ExitCode())
	assert.Positive(t, <-stops)
	assert.Empty(t, state(cmd.Process.Pid), "it is gone")
	assert.ErrorIs(t, syscall.Kill(cmd.Process.Pid, 0), syscall.ESRCH)
}
