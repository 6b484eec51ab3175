package patch

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func lines(s string) []byte { return []byte(strings.ReplaceAll(s, " ", "\n") + "\n") }

// What Make writes, Apply reads: changed, added and deleted files, and the head.
func TestMakeApply(t *testing.T) {
	base := Files{
		"a.go": lines("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"),
		"b.go": lines("b"),
		"c.go": lines("c"),
	}
	changed := Files{
		"a.go": lines("1 2 three 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21"),
		"b.go": base["b.go"],
		"d.go": lines("d e"),
	}
	text := Make("Flaw: x.\n\nwant wrong\n", base, changed)
	p, err := Parse(text)
	require.NoError(t, err)
	assert.Equal(t, "Flaw: x.\n\nwant wrong\n\n", p.Head)
	assert.Equal(t, 6, p.Lines())
	got, err := p.Apply(base)
	require.NoError(t, err)
	assert.Equal(t, changed, got)
	assert.Equal(t, string(text), string(Make(p.Head, base, got)), "a patch written again is the same")
	back, err := p.Reverse().Apply(changed)
	require.NoError(t, err)
	assert.Equal(t, base, back)
}

// What stands above a change may have grown; where the lines stand is not guessed.
func TestApplyFinds(t *testing.T) {
	p, err := Parse(Make("", Files{"a.go": lines("1 2 3 4 5")}, Files{"a.go": lines("1 2 three 4 5")}))
	require.NoError(t, err)
	for _, row := range []struct {
		name, source, want, misfit string
	}{
		{"as it was", "1 2 3 4 5", "1 2 three 4 5", ""},
		{"moved", "new new 1 2 3 4 5 end", "new new 1 2 three 4 5 end", ""},
		{"there and elsewhere", "1 2 3 4 5 1 2 3 4 5", "1 2 three 4 5 1 2 3 4 5", ""},
		{"elsewhere, twice", "x 1 2 3 4 5 1 2 3 4 5", "", "stand there 2 times"},
		{"changed", "1 2 III 4 5", "", "are not there any more"},
		{"gone", "", "", "are not there any more"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := p.Apply(Files{"a.go": lines(row.source)})
			if row.misfit != "" {
				require.ErrorAs(t, err, &Misfit{})
				assert.ErrorContains(t, err, row.misfit)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, string(lines(row.want)), string(got["a.go"]))
		})
	}
	_, err = p.Apply(Files{"b.go": lines("1 2 3 4 5")})
	assert.ErrorContains(t, err, "a.go: there is no such file")
}

// A patch names files of one folder: one from elsewhere could write anywhere.
func TestParseRefuses(t *testing.T) {
	for _, name := range []string{"../a.go", "/etc/a.go", "b/a.go"} {
		text := strings.ReplaceAll(string(Make("", Files{"a.go": lines("1")}, Files{"a.go": lines("2")})), "a.go", name)
		_, err := Parse([]byte(text))
		assert.ErrorContains(t, err, "one folder", name)
	}
}
