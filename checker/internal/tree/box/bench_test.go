//go:build linux

package box

import (
	"io"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkRun is what a box adds to the start and the end of a supervisor with one child:
// in a box, against the same two programs without one.
func BenchmarkRun(b *testing.B) {
	spec := Spec{Base: b.TempDir(), Limits: Limits{MemoryMiB: 128, Tasks: 40, TmpMiB: 16, FileMiB: 16, Files: 256}}
	var err error
	spec.Show, err = Programs(self()[:1])
	require.NoError(b, err)
	spec.Without = lacking(b)
	b.Run("in a box", func(b *testing.B) {
		for b.Loop() {
			cmd := exec.Command(self()[0])
			cmd.Env, cmd.Stdout = []string{"ATTACK=nothing", "ARGUMENT=-"}, io.Discard
			end, err := Start(self(), Supervise, spec, cmd)
			require.NoError(b, err)
			_ = cmd.Wait()
			end()
		}
	})
	b.Run("without", func(b *testing.B) {
		for b.Loop() {
			cmd := exec.Command(self()[0], "boxed", string(bareKind))
			cmd.Env, cmd.Stdout = []string{"ATTACK=nothing", "ARGUMENT=-"}, io.Discard
			_ = cmd.Run()
		}
	})
}
