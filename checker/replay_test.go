package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/judge/report"
	"prokata/checker/internal/tree/record"
)

var update = flag.Bool("update", false, "write the reports of the recorded runs anew")

// TestReplay judges recorded runs: each folder of testdata/evidence/runs holds what
// "checker check --save" wrote, and in report.txt what a person is told. To record
// one anew:
//
//	bin/checker check deadlock --from testdata/flawed/08-deadlock/NAME.patch --save testdata/evidence/runs/NAME
//	go test ./checker -run Replay -update
func TestReplay(t *testing.T) {
	dirs, err := filepath.Glob("../testdata/evidence/runs/*")
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			katas, err := record.Load(dir)
			require.NoError(t, err)
			var b bytes.Buffer
			for _, k := range katas {
				report.Text{W: &b}.Kata(grade.Judge(k.Facts, k.Runs))
			}
			golden := filepath.Join(dir, "report.txt")
			if *update {
				require.NoError(t, os.WriteFile(golden, b.Bytes(), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Empty(t, cmp.Diff(string(want), b.String()), "(-want +got); if this is right: go test ./checker -run Replay -update")
		})
	}
}
