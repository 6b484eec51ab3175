package run

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/wire"
)

// What a program does to the run's folder is seen, also if it puts something alike in
// the place of what it took away.
func TestBroken(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(t *testing.T, p *private)
		want []string
	}{
		{"nothing", func(*testing.T, *private) {}, nil},
		{
			"what the harness writes",
			func(t *testing.T, p *private) {
				require.NoError(t, os.WriteFile(p.path(wire.RaceDir, "r.7"), []byte(raceHead), 0o600))
				require.NoError(t, os.WriteFile(p.path(wire.ChildFile), []byte("{}\n"), 0o600))
				p.news(wire.ChildFile)
				require.NotEmpty(t, p.raceReports())
			},
			nil,
		},
		{
			"a folder removed",
			func(t *testing.T, p *private) { require.NoError(t, os.RemoveAll(p.path(wire.RaceDir))) },
			[]string{"the run's folder (race) was removed: it holds what the race detector reports"},
		},
		{
			"a folder replaced",
			func(t *testing.T, p *private) {
				require.NoError(t, os.RemoveAll(p.path(wire.CrashDir)))
				require.NoError(t, os.Mkdir(p.path(wire.CrashDir), 0o700))
			},
			[]string{"the run's folder (crash) was replaced: it holds what crashes print"},
		},
		{
			"a link in its place",
			func(t *testing.T, p *private) {
				require.NoError(t, os.Rename(p.path(wire.WatchDir), p.path("elsewhere")))
				require.NoError(t, os.Symlink("elsewhere", p.path(wire.WatchDir)))
			},
			[]string{"the run's folder (watch) was replaced: it holds races on shared memory"},
		},
		{
			"a folder locked",
			func(t *testing.T, p *private) { require.NoError(t, os.Chmod(p.path(wire.RaceDir), 0o500)) },
			[]string{"the run's folder (race) was given other permissions: it holds what the race detector reports"},
		},
		{
			"a file cut short",
			func(t *testing.T, p *private) {
				require.NoError(t, os.WriteFile(p.path(wire.TodoFile), []byte("spawn: Run\n"), 0o600))
				require.Len(t, p.unwritten(), 1)
				require.NoError(t, os.Truncate(p.path(wire.TodoFile), 0))
			},
			[]string{"the run's folder (todo) was cut short: it holds unwritten functions that were called"},
		},
		{
			"what has been read written over",
			func(t *testing.T, p *private) {
				require.NoError(t, os.WriteFile(p.path(sharedRaces), []byte("{}\n"), 0o600))
				p.news(sharedRaces)
				require.NoError(t, os.WriteFile(p.path(sharedRaces), []byte("[]\n{}\n"), 0o600))
			},
			[]string{"the run's folder (watch/races.jsonl) was written over: it holds races on shared memory"},
		},
		{
			"a report written over",
			func(t *testing.T, p *private) {
				require.NoError(t, os.WriteFile(p.path(wire.RaceDir, "r.7"), []byte("                                \n"), 0o600))
				p.raceReports()
			},
			[]string{"the run's folder (race) had a report written over: it holds what the race detector reports"},
		},
		{
			"a pipe that nobody writes to, for a crash",
			func(t *testing.T, p *private) {
				require.NoError(t, syscall.Mkfifo(p.path(wire.CrashDir, "7"), 0o600))
				p.crashes()
			},
			[]string{"the run's folder (crash) got something that is no file of the harness's: it holds what crashes print"},
		},
		{
			"a link to what the supervisor can read",
			func(t *testing.T, p *private) {
				require.NoError(t, os.Symlink("/etc/passwd", p.path(wire.CrashDir, "7")))
				require.Empty(t, p.crashes())
			},
			[]string{"the run's folder (crash) got something that is no file of the harness's: it holds what crashes print"},
		},
		{
			"a sparse file of a TiB",
			func(t *testing.T, p *private) {
				require.NoError(t, os.Truncate(p.path(wire.TodoFile), 1<<40))
				require.Empty(t, p.unwritten())
			},
			nil, // no more of it is read than what can be kept
		},
		{
			"all of it",
			func(t *testing.T, p *private) {
				require.NoError(t, os.Rename(p.dir, p.dir+".old"))
				t.Cleanup(func() { os.RemoveAll(p.dir + ".old") })
				require.NoError(t, os.CopyFS(p.dir, os.DirFS(p.dir+".old")))
				require.NoError(t, os.Chmod(p.dir, 0o700))
			},
			[]string{
				"the run's folder (as a whole) was replaced: it holds all that the harness writes",
				"the run's folder (race) was replaced: it holds what the race detector reports",
				"the run's folder (crash) was replaced: it holds what crashes print",
				"the run's folder (watch) was replaced: it holds races on shared memory",
				"the run's folder (todo) was replaced: it holds unwritten functions that were called",
				"the run's folder (started) was replaced: it holds the children that have begun",
				"the run's folder (sites) was replaced: it holds where things were opened",
				"the run's folder (watch/races.jsonl) was replaced: it holds races on shared memory",
				"the run's folder (progress) was replaced: it holds the progress of the tests",
			},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			p, err := newPrivate(nil)
			require.NoError(t, err)
			defer p.remove()
			row.do(t, p)
			assert.Equal(t, row.want, p.broken())
		})
	}
}

// What is broken after the last test is that test's, if nothing of the kind has been
// said of it.
func TestBlame(t *testing.T) {
	const passed = evidence.Passed
	said, broken := []string{"said"}, []string{"broken"}
	for _, row := range []struct {
		name   string
		tests  []evidence.Test
		broken []string
		want   [][]string
	}{
		{"nothing is broken", []evidence.Test{{Status: passed}}, nil, [][]string{nil}},
		{"the last that ran", []evidence.Test{{Status: passed}, {Status: passed}, {}}, broken, [][]string{nil, broken, nil}},
		{"it has been said", []evidence.Test{{Status: passed}, {Status: passed, Tampering: said}}, broken, [][]string{nil, said}},
		{"none ran", []evidence.Test{{}}, broken, [][]string{nil}},
	} {
		t.Run(row.name, func(t *testing.T) {
			blame(row.tests, row.broken)
			var got [][]string
			for _, test := range row.tests {
				got = append(got, test.Tampering)
			}
			assert.Equal(t, row.want, got)
		})
	}
}
