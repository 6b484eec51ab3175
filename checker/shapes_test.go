package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/check"
	"prokata/checker/internal/evidence"
	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/judge/report"
	"prokata/checker/internal/prove/flaw"
	"prokata/checker/internal/source/build"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/plan"
	"prokata/checker/internal/tree/record"
)

var recordShapes = flag.String("record", "", "run the mistakes of the shapes whose folder's name matches, and record their evidence anew")

// standstills are mistakes that end in a deadlock, one for each shape and more: the
// evidence of each stands in testdata/evidence/shapes/SHAPE.KATA.FLAW, with what a person
// is told, and with the line that is to be named first.
var standstills = []struct{ shape, kata, flaw, test, guilty string }{
	{"lock-circle", "08-deadlock", "opposite-order", "TestOrderBreaksTheCircle", "second.Acquire()"},
	{"lock-circle", "08-deadlock", "semaphore-of-n", "TestWaiterBreaksTheCircle", "second.Acquire()"},
	{"lock-of-itself", "08-deadlock", "try-waits", "TestLockExcludes", "Flock("},
	{"lock-too-wide", "08-deadlock", "one-global-lock", "TestOrderBreaksTheCircle", "Acquire()"},
	{"lock-kept", "03-shared-memory", "lock-kept-on-error", "TestDoReleases", "FcntlFlock("},
	{"permit-lost", "08-deadlock", "permit-leaked-on-error", "TestSpoiltMeals", "waiter.Acquire()"},
	{"permit-lost", "08-deadlock", "permit-lost-with-the-dead", "TestPermitsOfTheDead", "waiter.Acquire()"},
	{"shared-word", "03-shared-memory", "ticket-lock", "TestOwnerDied", "Wait("},
	{"context-read", "06-event", "context-asked-once", "TestWaitEndsWithItsContext", ".Read("},
	{"context-child", "08-deadlock", "context-ignored", "TestDineCancelled", "dinner.Wait()"},
	{"context-child", "01-spawn", "never-killed", "TestCancelKills", "Wait()"},
	{"context-lock", "03-shared-memory", "context-ignored", "TestAcquireWithContext", "FcntlFlock("},
	{"orphans", "10-crawl", "manager-outlives-the-parent", "TestSecondInterruptEndsAtOnce", "Accept()"},
	{"write-first", "05-pipe", "both-write-first", "TestBothSendFirst", "Write"},
	{"wait-before-read", "01-spawn", "wait-before-read", "TestLongLines", "Wait()"},
	{"full-unread", "06-event", "set-blocks", "TestSetTwiceIsOneSet", "Write("},
	{"mutex-callback", "07-async", "callback-under-the-lock", "TestCallbackMaySubmit", "Lock()"},
	{"mutex-close", "05-pipe", "close-waits-for-send", "TestCloseEndsSend", "Lock()"},
	{"mutex-kept", "05-pipe", "half-duplex", "TestRecvDuringSend", "Lock()"},
	{"turn-kept-from-close", "05-pipe", "close-waits-its-turn", "TestCloseEndsRecv", "<-"},
	{"turn-kept", "05-pipe", "send-keeps-the-turn", "TestRecvDuringSend", ""},
	{"end-of-all", "04-queue", "write-end-inherited", "TestCloseWakesEveryConsumer", ""},
	{"end-passed-on", "06-event", "close-on-exec-missing", "TestGrandchildHoldsNothing", ".Read("},
	{"end-passed-on", "04-queue", "end-passed-on", "TestChildOfAConsumer", ""},
	{"end-inherited", "04-queue", "ends-inherited", "TestEachItemOnce", ""},
	{"own-end", "10-crawl", "parent-keeps-the-workers-end", "TestPageOfAKilledWorkerIsFetchedByAnother", "Decode("},
	{"own-end", "06-event", "own-end-kept", "TestSetterEndsWithoutSet", ".Read("},
	{"copy-kept", "05-pipe", "copy-not-closed", "TestChildHoldsItsEndAlone", ""},
	{"no-time-limit", "10-crawl", "patient-with-the-body", "TestFetchLeavesNothingOfABadPage", "Copy("},
	{"alone", "08-deadlock", "one-permit-short", "TestSemaphoreAdmits", ".Read("},
	{"waits-in-a-circle", "10-crawl", "waits-in-a-circle", "TestFetchesEveryPageOnce", "<-m.done"},
	{"clients-first", "10-crawl", "manager-waits-for-its-clients", "TestShutdownEndsTheManager", "<-m.done"},
	{"child-needs-others", "01-spawn", "one-after-the-other", "TestAliveTogether", "Wait()"},
	{"answer-needs-others", "02-pool", "one-asks-for-all", "TestTasksOverlap", "Decode("},
	{"server-busy", "10-crawl", "one-client-at-a-time", "TestFetchesEveryPageOnce", "Decode("},
	{"end-not-said", "09-gil", "go-pipe-kept", "TestSameSum", "Decode("},
	{"some-not-told", "04-queue", "one-stop-marker", "TestCloseWakesEveryConsumer", "Decode("},
	{"nil-channel", "04-queue", "owner-gone-not-noticed", "TestOwnerKilled", "<-"},
	{"killed-worker", "04-queue", "taken-not-noted", "TestConsumerKilled", "select"},
	{"killed-worker", "07-async", "dead-worker-forgotten", "TestWorkerKilledInMidTask", "select"},
	{"everybody-listens", "05-pipe", "no-framing", "TestEmptyMessages", "Read"},
	{"send-unreceived", "07-async", "queue-bounded", "TestTenThousandOutstanding", "<-"},
	{"waitgroup", "09-gil", "start-failure-waits", "TestStartFails", "Wait()"},
	{"other-memory", "06-event", "channel", "TestSetInTheChildWakesTheParent", "select"},
	{"result-unsettled", "07-async", "error-forgotten", "TestTaskErrorKeepsItsText", "select"},
	{"one-for-all", "06-event", "token-taken", "TestAllWaitersWake", ".Read("},
	{"message-gone", "06-event", "drained-before-wait", "TestStaysSetUntilCleared", ".Read("},
	{"still-held", "05-pipe", "passed-file-left", "TestFileThatNobodyTook", ""},
	{"not-asked-to-end", "10-crawl", "wait-before-close", "TestFetchesEveryPageOnce", "Wait()"},
	{"send-unreceived", "10-crawl", "work-for-nobody", "TestRefusesLessThanOneWorker", "work <-"},
}

func shapeDir(shape, kata, flaw string) string {
	return filepath.Join("..", "testdata", "evidence", "shapes", shape+"."+kata[3:]+"."+flaw)
}

// TestShapes judges recorded deadlocks: each is told by its shape, at its guilty line,
// within a screen. To record some of them anew, and to accept what is told:
//
//	go test ./checker -run TestShapes -record 'crawl' -update
func TestShapes(t *testing.T) {
	if *recordShapes != "" {
		recordAll(t, regexp.MustCompile(*recordShapes))
	}
	for _, row := range standstills {
		dir := shapeDir(row.shape, row.kata, row.flaw)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			katas, err := record.Load(dir)
			require.NoError(t, err)
			v := grade.Judge(katas[0].Facts, katas[0].Runs)
			i := slices.IndexFunc(v.Findings, func(f detect.Finding) bool { return f.Code == "deadlock" })
			require.GreaterOrEqual(t, i, 0, "no deadlock is found")
			f := v.Findings[i]
			assert.Equal(t, row.shape, f.Shape)
			line, err := os.ReadFile(filepath.Join(dir, "guilty.txt"))
			require.NoError(t, err)
			place, text, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
			if row.guilty != "" {
				assert.Equal(t, place, filepath.Base(f.File)+":"+strconv.Itoa(f.Line), "the finding's place")
				assert.Contains(t, text, row.guilty, "the line at its place")
			}
			var b bytes.Buffer
			report.Text{W: &b}.Kata(v)
			assert.LessOrEqual(t, strings.Count(b.String(), "\n"), 26, "lines on a screen")
			golden := filepath.Join(dir, "report.txt")
			if *update {
				require.NoError(t, os.WriteFile(golden, b.Bytes(), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Empty(t, cmp.Diff(string(want), b.String()), "(-want +got); if this is right: go test ./checker -run TestShapes -update")
		})
	}
}

// A shape that no mistake shows may say anything.
func TestEveryShapeIsShown(t *testing.T) {
	// What no kata's known mistake comes to; package detect tries these with made evidence.
	made := []string{"stopped", "context-channel", "own-end-full", "mutex-lost", "child-never-ends", "cond", "signal", "output-held"}
	for _, name := range detect.Shapes() {
		shown := slices.Contains(made, name)
		for _, row := range standstills {
			shown = shown || row.shape == name
		}
		assert.True(t, shown, "no known mistake shows shape %q", name)
	}
}

// recordAll runs those mistakes, each in its one test.
func recordAll(t *testing.T, names *regexp.Regexp) {
	root, err := kata.Root(".")
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	err = check.SideBySide(t.Context(), 2, func(_ context.Context, b *build.Builder, _ *check.Lane) (work []func(context.Context) error, _ error) {
		for _, row := range standstills {
			dir := shapeDir(row.shape, row.kata, row.flaw)
			if !names.MatchString(filepath.Base(dir)) {
				continue
			}
			work = append(work, func(ctx context.Context) error {
				source := filepath.Join(root, "testdata", "flawed", row.kata, row.flaw) // a whole program
				if _, err := os.Stat(source); err != nil {
					if source, err = flaw.Unpack(root, source+".patch", t.TempDir()); err != nil {
						return err
					}
				}
				k, err := kata.Load(filepath.Join(root, "katas", row.kata))
				if err != nil {
					return err
				}
				p, err := plan.New(root, k, source)
				if err != nil {
					return err
				}
				p.Label, p.Seed, p.Race, p.Vet, p.Tests = filepath.Join("katas", row.kata), 1, false, false, []string{row.test}
				r, err := check.Run(ctx, b, p, []string{self, "supervise"})
				if err != nil {
					return err
				}
				trim(&r)
				if err := record.Save(dir, r, 0); err != nil {
					return err
				}
				return guilty(dir, p.Source, r)
			})
		}
		return work, nil
	})
	require.NoError(t, err)
}

// guilty writes down the line that the finding names, as the source has it.
func guilty(dir, source string, r evidence.Run) error {
	text := "-"
	for _, f := range detect.All(r) {
		if b, err := os.ReadFile(filepath.Join(source, filepath.Base(f.File))); f.Code == "deadlock" && err == nil {
			lines := strings.Split(string(b), "\n")
			text = filepath.Base(f.File) + ":" + strconv.Itoa(f.Line) + " " + strings.TrimSpace(lines[f.Line-1])
		}
	}
	return os.WriteFile(filepath.Join(dir, "guilty.txt"), []byte(text+"\n"), 0o644)
}

// trim leaves out of a recording what no verdict on a deadlock needs.
func trim(r *evidence.Run) {
	r.Sites = slices.DeleteFunc(r.Sites, func(s evidence.Site) bool { return s.Kind != "takes" && s.Kind != "ended" })
	for i := range r.Tests {
		t := &r.Tests[i]
		t.Output = ""
		if t.Snapshot == nil {
			continue
		}
		for j := range t.Snapshot.Processes {
			p := &t.Snapshot.Processes[j]
			p.Args = nil
			p.Threads = slices.DeleteFunc(p.Threads, func(x evidence.Thread) bool {
				_, private := x.FutexOp()
				return x.Call == "futex" && private && x.State == "S"
			})
		}
		for j := range t.Stacks {
			t.Stacks[j].Goroutines = slices.DeleteFunc(t.Stacks[j].Goroutines, func(g evidence.Goroutine) bool {
				return !slices.ContainsFunc(g.Frames, func(f evidence.Frame) bool {
					return strings.HasPrefix(f.File, "katas/") || strings.Contains(f.Func, "prokata/")
				})
			})
		}
	}
}
