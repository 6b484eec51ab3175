//go:build linux

package observe

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
)

const (
	deadEnv = "OBSERVE_DEAD" // set for the process that plays a test that lies dead
	deadRow = "dead flock circle of 2"

	plainTimeout   = 10 * time.Second
	defaultTimeout = 10 * time.Minute // of go test
)

// TestDead is what a learner's test is where nothing watches: it waits for two
// processes that wait for each other. It runs for plainGo alone.
func TestDead(t *testing.T) {
	dir := os.Getenv(deadEnv)
	if dir == "" {
		t.Skip("for the benchmark")
	}
	_, quiet, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(deadRow+"/top", dir)
	cmd.ExtraFiles = []*os.File{quiet}
	t.Log(cmd.Run())
}

// plainGo measures what "go test -timeout" makes of a deadlock of processes: how
// long it takes, whether it names the locks, and how many processes it leaves.
//
//	go-test-s      until the end, with go test's timeout, which is 10 minutes if not given
//	go-test-named  of the two locks, in all that it prints
//	go-test-left   processes that it leaves behind
func plainGo(b *testing.B) {
	dir := b.TempDir()
	out, err := os.Create(filepath.Join(b.TempDir(), "output")) // not a pipe: who is left behind would hold it open
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	cmd := command(os.Args[0], "-test.run=^TestDead$", "-test.timeout="+plainTimeout.String())
	cmd.Env = append(cmd.Env, deadEnv+"="+dir)
	cmd.Stdout, cmd.Stderr = out, out
	start := time.Now()
	err = cmd.Run()
	took := time.Since(start)
	text, readErr := os.ReadFile(out.Name())
	if readErr != nil {
		b.Fatal(readErr)
	}
	if err == nil || !strings.Contains(string(text), "test timed out after "+plainTimeout.String()) {
		b.Fatalf("the dead test ended otherwise: %v\n%s", err, text)
	}
	left, err := Processes(os.Getpid()) // its orphans are ours
	if err != nil {
		b.Fatal(err)
	}
	// Of the rows before there is nothing left but zombies.
	left = slices.DeleteFunc(left, func(p evidence.Process) bool { return p.State == "Z" })
	for _, p := range left {
		unix.Kill(p.PID, unix.SIGKILL)
		unix.Wait4(p.PID, nil, 0, nil)
	}
	locks, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(locks) != 2 {
		b.Fatalf("in the row's folder are %v, not its two locks: %v", locks, err)
	}
	named := slices.DeleteFunc(locks, func(path string) bool { return !strings.Contains(string(text), path) })
	b.ReportMetric((took - plainTimeout + defaultTimeout).Seconds(), "go-test-s")
	b.ReportMetric(float64(len(named)), "go-test-named")
	b.ReportMetric(float64(len(left)), "go-test-left")
}
