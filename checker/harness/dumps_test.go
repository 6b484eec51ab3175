package harness

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const printed = `=== RUN   TestA
goroutine leaks are nothing here
panic: oh no

goroutine 7 [running]:
main.worker(0xc000012345)
	/src/main.go:31 +0x1d
created by main.main in goroutine 1
	/src/main.go:20 +0x8a

goroutine 1 [chan receive, 2 minutes]:
main.main()
	/src/main.go:36 +0x8da
rax    0xca
exit status 2
--- FAIL: TestA (0.01s)
    a_test.go:3: the child crashed
no end`

// The stacks are in the file, all else is passed on, however it comes in pieces; and
// without a stack there is no file.
func TestDumps(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, size := range []int{1, 7, 4096} {
		var out bytes.Buffer
		s := &dumps{to: &out}
		for rest := printed; rest != ""; {
			n := min(size, len(rest))
			_, err := s.Write([]byte(rest[:n]))
			require.NoError(t, err)
			rest = rest[n:]
		}
		s.close()
		require.NotNil(t, s.file)
		kept, err := os.ReadFile(s.file.Name())
		require.NoError(t, err)
		note := "(its goroutines' stacks are in " + s.file.Name() + ")\n"
		assert.Equal(t, 1, strings.Count(out.String(), note))
		before, after, _ := strings.Cut(out.String(), note)
		assert.Equal(t, printed, before+string(kept)+after, "nothing is lost")
		assert.Contains(t, before, "panic: oh no")
		assert.True(t, strings.HasPrefix(after, "--- FAIL: TestA"), after)
	}
	var out bytes.Buffer
	s := &dumps{to: &out}
	_, _ = s.Write([]byte("ok\n"))
	s.close()
	assert.Nil(t, s.file)
	assert.Equal(t, "ok\n", out.String())
}

// What is printed without an end of a line is not held back.
func TestDumpsPassOn(t *testing.T) {
	var out bytes.Buffer
	s := &dumps{to: &out}
	_, _ = s.Write([]byte("waiting"))
	assert.Equal(t, "waiting", out.String())
	_, _ = s.Write([]byte(" … done\n"))
	assert.Equal(t, "waiting … done\n", out.String())
}
