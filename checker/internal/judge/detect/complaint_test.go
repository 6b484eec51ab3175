package detect

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// block is how testify writes a complaint.
func block(kind, message string) string {
	pad := func(s string) string { return strings.ReplaceAll(s, "\n", "\n        \t            \t") }
	s := "    x_test.go:12: \n        \tError Trace:\tx_test.go:12\n        \tError:      \t" + pad(kind) + "\n        \tTest:       \tTestX\n"
	if message != "" {
		s += "        \tMessages:   \t" + pad(message) + "\n"
	}
	return s
}

// The first complaint of a test becomes a headline and a proof.
func TestWords(t *testing.T) {
	for _, row := range []struct {
		name, output, headline string
		proof                  []string
	}{
		{"plain", "=== RUN   TestX\n    x_test.go:12: it was red\n--- FAIL: TestX\n", "it was red", nil},
		{"a difference below", "    x_test.go:12: the lines differ\n        - 3\n        + 4\n", "the lines differ", []string{"- 3", "+ 4"}},
		{"behind what the program printed", "one, two    x_test.go:12: it was red\n", "it was red", nil},
		{"a note before it", "    x_test.go:9: \n        a table\n" + block("Should be true", "it was red"), "it was red", nil},
		{"two", block("Should be true", "first") + block("Should be true", "second"), "first", nil},
		{"in a subtest", "=== RUN   TestX/a\n        x_test.go:12: \n            \tError Trace:\tx\n            \tError:      \tShould be true\n            \tMessages:   \tit was red\n", "it was red", nil},
		{
			"equal", block("Not equal: \nexpected: 3\nactual  : 2\n\nDiff:\n-3\n+2", "Run lost a line"),
			"Run lost a line",
			[]string{"expected: 3", "actual:   2"},
		},
		{"without a sentence", block("Should be true", ""), "something that must hold did not", nil},
		{
			"an error without a sentence", block("Received unexpected error:\nwrite a: broken pipe", ""),
			"a call returned an error that it should not",
			[]string{"expected: no error", "actual:   write a: broken pipe"},
		},
		{
			"another error", block("Target error should be in err chain:\nexpected: \"io: read/write on closed pipe\"\nin chain: \"write a: broken pipe\"\n\t\"broken pipe\"", "Send did not return io.ErrClosedPipe"),
			"Send did not return io.ErrClosedPipe",
			[]string{`expected: an error that wraps "io: read/write on closed pipe"`, `actual:   "write a: broken pipe"`},
		},
		{
			"a raw error", block("Not equal: \nexpected: *errors.errorString(&errors.errorString{s:\"EOF\"})\nactual  : *fs.PathError(&fs.PathError{Op:\"read\", Path:\"a\", Err:0x68})", "Recv did not return io.EOF"),
			"Recv did not return io.EOF",
			[]string{`expected: an error that says "EOF"`, `actual:   an error that says "read a: connection reset by peer"`},
		},
		{"a channel", block("Expected nil, but got: (chan int)(0xc0000a2000)", ""), "a call returned something where it should return nil", []string{"expected: nil", "actual:   a chan int"}},
		{"a pointer", block("Expected nil, but got: (*pool.Pool)(0xc0000a2000)", "Start returned both"), "Start returned both", []string{"expected: nil", "actual:   a *pool.Pool"}},
		{"numbers of two types", block("Not equal: \nexpected: int64(3)\nactual  : int(4)", "m"), "m", []string{"expected: 3", "actual:   4"}},
		{"no lines", block("Not equal: \nexpected: []string{\"a\"}\nactual  : []string(nil)", "m"), "m", []string{`expected: {"a"}`, "actual:   nothing"}},
		{"a bound", block(`"3" is not less than or equal to "2"`, "too many at a time"), "too many at a time", []string{"expected: less than or equal to 2", "actual:   3"}},
		{"the test's own failure", block("the program ended without a word", "it was: signal: interrupt"), "the program ended without a word", []string{"it was: signal: interrupt"}},
		{"no word", "    x_test.go:12: \n", "the test failed without a word", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, said := complained(row.output)
			assert.True(t, said)
			headline, proof := c.words()
			assert.Equal(t, row.headline, headline)
			assert.Equal(t, row.proof, proof)
			assert.Equal(t, "x_test.go", c.file)
		})
	}
	_, said := complained("=== RUN   TestX\n\t/src/x_test.go:12 +0x1d\n--- FAIL: TestX (0.00s)\n")
	assert.False(t, said, "a line of a stack is no complaint")
}

// Testify's own words, an address and a raw struct never become a headline, and of two
// long values the difference is shown.
func TestHeadlinesAreSentences(t *testing.T) {
	for _, s := range stocks {
		assert.NotEmpty(t, s.sentence, s.says)
		assert.NotContains(t, s.sentence, "$")
	}
	long := strings.Repeat("a", 400)
	c, _ := complained(block("Not equal: \nexpected: \""+long+"b\"\nactual  : \""+long+"c\"", "m"))
	_, proof := c.words()
	assert.Contains(t, proof[0], `b" (403 bytes in all)`)
	assert.Contains(t, proof[1], `c" (403 bytes in all)`)
	assert.Less(t, len(proof[0]), 220)
}
