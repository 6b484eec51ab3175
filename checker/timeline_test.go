package main

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"prokata/checker/internal/check"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/timeline"
	"prokata/checker/internal/prove/flaw"
	"prokata/checker/internal/source/build"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/plan"
)

var recordTimelines = flag.String("record-timelines", "", "run the programs whose drawings are tests, by the name of the drawing (a regular expression), and record them anew")

// drawn are runs worth a look, each of one test. Their evidence stands in
// testdata/evidence/timeline/NAME.json; package timeline draws it for a terminal and for
// trace viewers, package browser opens the pages in a browser.
var drawn = []struct{ name, kata, flaw, test string }{
	{"pool", "02-pool", "", "TestWorkerKilled"},
	{"orphan", "01-spawn", "grandchildren-live-on", "TestCancelEndsGrandchild"},
	{"circle", "08-deadlock", "opposite-order", "TestOrderBreaksTheCircle"},
	{"interrupt", "10-crawl", "", "TestInterruptFromTheTerminal"},
}

// TestRecordTimelines runs those programs, and keeps what was seen:
//
//	go test ./checker -run RecordTimelines -record-timelines . && go test ./checker/internal/judge/timeline -update
func TestRecordTimelines(t *testing.T) {
	if *recordTimelines == "" {
		t.Skip("for who records anew")
	}
	names := regexp.MustCompile(*recordTimelines)
	root, err := kata.Root(".")
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	builder := build.New(t.TempDir())
	for _, row := range drawn {
		if names.MatchString(row.name) {
			r := single(t, root, self, builder, row.kata, row.flaw, row.test)
			b, err := json.MarshalIndent(r, "", " ")
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(root, "testdata", "evidence", "timeline", row.name+".json"), append(b, '\n'), 0o644))
		}
	}
}

// single runs one test of a solution, or of a mistake, without the race detector.
func single(t *testing.T, root, self string, b *build.Builder, folder, mistake, test string) evidence.Run {
	source := filepath.Join(root, "solutions", folder)
	if mistake != "" {
		var err error
		source, err = flaw.Unpack(root, filepath.Join(root, "testdata", "flawed", folder, mistake+".patch"), t.TempDir())
		require.NoError(t, err)
	}
	k, err := kata.Load(filepath.Join(root, "katas", folder))
	require.NoError(t, err)
	p, err := plan.New(root, k, source)
	require.NoError(t, err)
	p.Label, p.Seed, p.Race, p.Vet, p.Tests = filepath.Join("katas", folder), 1, false, false, []string{test}
	r, err := check.Run(context.Background(), b, p, []string{self, "supervise"})
	require.NoError(t, err)
	require.True(t, r.Build.OK, r.Build.Output)
	require.Empty(t, r.Fault)
	trim(&r)
	r.Sites = nil
	return r
}

// What a run keeps is what is drawn: who was there, with the ends that the kernel told.
func TestTimelineOfARun(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not checked on this system: what becomes of processes")
	}
	root, err := kata.Root(".")
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	r := single(t, root, self, build.New(t.TempDir()), "01-spawn", "", "TestExitCodes")
	p := timeline.New(r, nil)
	require.Len(t, p.Tests, 1)
	exits := map[string]bool{}
	for _, l := range p.Tests[0].Lanes {
		if !l.Test {
			require.NotNil(t, l.Ended, "%+v", l)
			require.Equal(t, l.Ended[0], l.Ended[1], "the kernel tells the end of a child: %+v", l)
			require.Positive(t, l.Ready)
			require.Equal(t, 0, l.Parent)
			exits[l.Exit] = true
		}
	}
	require.Contains(t, exits, "exit status 0")
	require.Greater(t, len(exits), 1, "children with several exit codes: %v", exits)
}

// A page shows lines of Go files below its folders, and of nothing else that a program
// could have named.
func TestSourceLines(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	write := func(path, text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	write(filepath.Join(dir, "a.go"), "one\n\ttwo\n")
	write(filepath.Join(dir, "secret.txt"), "secret\n")
	write(filepath.Join(outside, "b.go"), "secret\n")
	require.NoError(t, os.Symlink(filepath.Join(outside, "b.go"), filepath.Join(dir, "link.go")))
	line := sourceLines(dir)
	require.Equal(t, "two", line("a.go", 2))
	require.Equal(t, "one", line(filepath.Join(dir, "a.go"), 1))
	for _, file := range []string{"secret.txt", "link.go", filepath.Join(outside, "b.go"), "../" + filepath.Base(outside) + "/b.go", "/etc/passwd", "", ".go"} {
		require.Empty(t, line(file, 1), "%q", file)
	}
	require.Empty(t, line("a.go", 0))
	require.Empty(t, line("a.go", 99))
}
