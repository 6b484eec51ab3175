package run

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/tree/wire"
)

// What is taken away from the folders is seen, however short it was there; what the race
// detector and the harness do there is no matter.
func TestGuard(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(t *testing.T, file string)
		told string
	}{
		{"written", func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file, []byte(raceHead), 0o600))
		}, ""},
		{"made and not written", func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file, nil, 0o600))
		}, ""},
		{"removed", func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file, []byte(raceHead), 0o600))
			require.NoError(t, os.Remove(file))
		}, "had a file removed"},
		{"moved away", func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file, []byte(raceHead), 0o600))
			require.NoError(t, os.Rename(file, t.TempDir()+"/x"))
		}, "had a file moved"},
		{"another in its place", func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file+"x", nil, 0o600))
			require.NoError(t, os.Rename(file+"x", file))
		}, "had a file moved"},
		{"emptied", func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file, []byte(raceHead), 0o600))
			require.NoError(t, os.Truncate(file, 0))
		}, "lost what a process had written"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			p, err := newPrivate(nil)
			require.NoError(t, err)
			defer p.remove()
			row.do(t, p.path(wire.RaceDir, "r.7"))
			p.raceReports()
			broken := p.broken()
			if row.told == "" {
				assert.Empty(t, broken)
			} else if assert.Len(t, broken, 1) {
				assert.Contains(t, broken[0], row.told)
			}
		})
	}
}
