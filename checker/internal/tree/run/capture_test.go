package run

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Of what a test prints the beginning and the end are kept: there its failure stands,
// however much the program printed before.
func TestCaptureKeepsBothEnds(t *testing.T) {
	var echo bytes.Buffer
	c, err := newCapture(&echo)
	require.NoError(t, err)
	defer c.close()
	long := strings.Repeat("0123456789abcde\n", 64<<10/16) // a pipe's worth
	for _, s := range []string{"first\n", long[16:], "", long, long, "last words\n"} {
		_, err := c.w.WriteString(s)
		require.NoError(t, err)
		_ = c.conn.Control(func(fd uintptr) { c.drain(fd, 1<<20) })
	}
	s := c.take()
	assert.True(t, strings.HasPrefix(s, "first\n0123"))
	assert.True(t, strings.HasSuffix(s, "abcde\nlast words\n"))
	assert.Contains(t, s, " bytes are left out)")
	assert.LessOrEqual(t, len(s), keep+lastly)
	assert.Equal(t, 3*len(long)+1, echo.Len(), "all of it is echoed")
	assert.EqualValues(t, echo.Len(), c.total.Load())
	_, err = c.w.WriteString("the next test\n")
	require.NoError(t, err)
	assert.Equal(t, "the next test\n", c.take())
	c.w.Close()
}
