//go:build linux

package observe

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"prokata/checker/internal/evidence"
)

var record = flag.String("record", "", "write snapshots of some rows of the corpus into this folder, for the tests of package detect")

// TestRecord makes the fixtures of package detect:
//
//	go test ./checker/internal/tree/observe -run TestRecord -record=$PWD/testdata/evidence/deadlock
//	go test ./checker/internal/judge/detect -run TestGolden -update
func TestRecord(t *testing.T) {
	if *record == "" {
		t.Skip("needs -record")
	}
	names := []string{
		"dead flock circle of 2", "dead wait with a full pipe", "dead own write end", "dead write first, TCP",
		"dead manager and workers", "dead signal that never comes", "dead futex in shared memory", "dead stopped child",
		"dead child that waits for its parent", "dead connection that nobody accepts, unix",
		"live timer beside a deadlock", "live slow server outside, TCP", "live lock held outside", "live partial deadlock",
		"live waits for a process outside",
	}
	for _, r := range corpus() {
		if !slices.Contains(names, r.name) {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			limit := 5 * time.Second
			if r.endless {
				limit = nap
			}
			o := play(t, r, limit)
			if o.dead == nil && r.dead() {
				t.Fatal("not called")
			}
			trim(&o.snap)
			b, err := json.MarshalIndent(map[string]any{"snapshot": o.snap}, "", "\t")
			if err != nil {
				t.Fatal(err)
			}
			name := strings.ReplaceAll(strings.ReplaceAll(r.name, ",", ""), " ", "-") + ".json"
			if err := os.WriteFile(filepath.Join(*record, name), append(b, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// trim leaves one idle thread of each process, and takes out what only this
// machine has.
func trim(s *evidence.Snapshot) {
	for i := range s.Processes {
		p := &s.Processes[i]
		idle := 0
		p.Threads = slices.DeleteFunc(p.Threads, func(t evidence.Thread) bool {
			if _, private := t.FutexOp(); t.Call == "futex" && private && !t.Timed() {
				idle++
			}
			return idle > 1 && t.Call == "futex" && !t.Timed() && t.Memory == ""
		})
		p.Args = nil
	}
}
