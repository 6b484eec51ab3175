package trace_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/tree/trace"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden parses recorded output; what it gave is beside it as JSON.
func TestGolden(t *testing.T) {
	type dump struct {
		Message    string
		Goroutines []evidence.Goroutine
	}
	parsers := map[string]func(string) (any, error){
		"races":   func(s string) (any, error) { return trace.Races(s) },
		"stack":   func(s string) (any, error) { return trace.Goroutines(s) },
		"default": func(s string) (any, error) { m, gs, err := trace.Dump(s); return dump{m, gs}, err },
	}
	files, _ := filepath.Glob("testdata/*.txt")
	if len(files) == 0 {
		t.Fatal("no recorded output in testdata")
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parse, ok := parsers[name]
			if !ok {
				parse = parsers["default"]
			}
			v, err := parse(string(text))
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(v, "", "\t")
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(file, ".txt") + ".json"
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
				t.Errorf("%s is stale, run go test -update (-want +got):\n%s", golden, diff)
			}
		})
	}
}

func TestDumpMessage(t *testing.T) {
	const stack = "\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/a.go:3 +0x1\n"
	for _, tt := range []struct{ reason, text, want string }{
		{"nothing was written: the process did not crash", "\n", ""},
		{"a panic", "panic: boom" + stack, "panic: boom"},
		{"its value has several lines", "panic: boom\n\tsecond" + stack, "panic: boom\n\tsecond"},
		{"a panic while panicking", "panic: one\n\tpanic: two [recovered]" + stack, "panic: one\n\tpanic: two [recovered]"},
		{"standard error: the program's output comes first", "panic: not yet\nhello\nfatal error: all goroutines are asleep - deadlock!" + stack, "fatal error: all goroutines are asleep - deadlock!"},
		{"crash output: the words of a fatal error are missing", stack, "fatal error"},
		{"crash output: a fault is a fatal error with a signal", "[signal SIGSEGV: segmentation violation code=0x2 addr=0x3 pc=0x5]" + stack, "fatal error\n[signal SIGSEGV: segmentation violation code=0x2 addr=0x3 pc=0x5]"},
		{"a nil pointer: the signal belongs to the panic", "panic: runtime error: x\n[signal SIGSEGV: s]" + stack, "panic: runtime error: x\n[signal SIGSEGV: s]"},
		{"a signal that asks for the dump", "SIGQUIT: quit\nPC=0x48a4c1 m=0 sigcode=0" + stack, "SIGQUIT: quit"},
		{"stack overflow", "runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow\n\nruntime stack:\nruntime.throw({0x1, 0x2})\n\t/go/panic.go:1 +0x1" + stack, "fatal error: stack overflow"},
		{"carriage returns, as a terminal adds them", "panic: boom\r\n\r\ngoroutine 1 [running]:\r\nmain.main()\r\n\t/src/a.go:3 +0x1\r\n", "panic: boom"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			got, gs, err := trace.Dump(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("message %q, want %q", got, tt.want)
			}
			if tt.want != "" && (len(gs) != 1 || gs[0].Frames[0].Line != 3) {
				t.Errorf("goroutines %+v, want main.main at line 3", gs)
			}
		})
	}
}

func TestGoroutineStates(t *testing.T) {
	for header, want := range map[string]string{
		"goroutine 7 [IO wait, 61 minutes, locked to thread]:":                              "IO wait",
		"goroutine 7 [select (no cases)]:":                                                  "select (no cases)",
		"goroutine 7 [chan receive (nil chan), 2 minutes]:":                                 "chan receive (nil chan)",
		"goroutine 7 [chan receive (durable), synctest bubble 1]:":                          "chan receive",
		"goroutine 7 [chan send (leaked) (scan)]:":                                          "chan send",
		"goroutine 7 gp=0x1 m=3 mp=0x2 [syscall]:":                                          "syscall",
		"goroutine 7 gp=0x1 m=nil [sync.Mutex.Lock]:":                                       "sync.Mutex.Lock",
		`goroutine 7 [select labels:{"test": "a]: b", "k": "v"}]:`:                          "select",
		`goroutine 7 [chan receive, 3 minutes, synctest bubble 4 labels:{"test": "a, b"}]:`: "chan receive",
	} {
		gs, err := trace.Goroutines(header + "\nmain.f(...)\n\t/src/a b.go:3\n")
		if err != nil || len(gs) != 1 {
			t.Fatalf("%s: %v, %v", header, gs, err)
		}
		if gs[0].State != want {
			t.Errorf("%s: state %q, want %q", header, gs[0].State, want)
		}
		if leaked := strings.Contains(header, "(leaked)"); gs[0].Unreachable != leaked {
			t.Errorf("%s: unreachable %v, want %v", header, gs[0].Unreachable, leaked)
		}
		if f := gs[0].Frames[0]; f != (evidence.Frame{Func: "main.f", File: "/src/a b.go", Line: 3}) {
			t.Errorf("%s: frame %+v", header, f)
		}
	}
}

// A process may be killed while it writes: what came before counts.
func TestBrokenOff(t *testing.T) {
	text, err := os.ReadFile("testdata/races.txt")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := trace.Races(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for cut := 0; cut < len(text); cut += 5 {
		part, err := trace.Races(string(text[:cut]))
		if len(part) > len(whole) || len(part) == len(whole) && err == nil && cut < len(text)-80 {
			t.Fatalf("cut at %d: %d races, error %v", cut, len(part), err)
		}
	}
	text, err = os.ReadFile("testdata/sigquit.txt")
	if err != nil {
		t.Fatal(err)
	}
	for cut := 0; cut < len(text); cut += 7 {
		trace.Dump(string(text[:cut])) // must not panic
	}
}

func TestAtomicAndForgottenStack(t *testing.T) {
	races, err := trace.Races(`==================
WARNING: DATA RACE
Write at 0x00c000096048 by goroutine 10:
  sync/atomic.AddInt64()
      /go/race_amd64.s:289 +0xb
  main.add()
      /src/a.go:7 +0x15

Previous read at 0x00c000096048 by main goroutine:
  [failed to restore the stack]

Goroutine 10 (running) created at:
  main.main()
      /src/a.go:25 +0x264
==================
Found 1 data race(s)
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []evidence.Race{{Accesses: []evidence.Access{
		{
			Op:      "atomic write",
			Frames:  []evidence.Frame{{Func: "sync/atomic.AddInt64", File: "/go/race_amd64.s", Line: 289}, {Func: "main.add", File: "/src/a.go", Line: 7}},
			Created: []evidence.Frame{{Func: "main.main", File: "/src/a.go", Line: 25}},
		},
		{Op: "read"},
	}}}
	if diff := cmp.Diff(want, races); diff != "" {
		t.Error(diff)
	}
}

func TestLearner(t *testing.T) {
	frames := []evidence.Frame{
		{Func: "os.(*File).Read", File: "/usr/local/go/src/os/file.go", Line: 1},
		{Func: "prokata/checker/shm.(*Memory).Load", File: "/src/checker/shm/shm.go", Line: 2},
		{Func: "generated", File: "<autogenerated>", Line: 1},
		{Func: "pool.TestPool", File: "/src/katas/02-pool/pool_test.go", Line: 3},
		{Func: "pool.Map", File: "/src/katas/02-pool/pool.go", Line: 4},
		{Func: "pool.run", File: "/src/katas/02-pool/run.go", Line: 5},
	}
	if f, ok := trace.Learner(frames, "/src/katas/02-pool"); !ok || f.Line != 4 {
		t.Errorf("got %+v, %v, want line 4", f, ok)
	}
	if f, ok := trace.Learner(frames, "/src/katas/02"); ok {
		t.Errorf("got %+v from a folder whose name is only a prefix", f)
	}
	if f, ok := trace.Learner(nil, "/src"); ok {
		t.Errorf("got %+v of no frames", f)
	}
}

func TestRenameText(t *testing.T) {
	got := trace.RenameText("# prokata/katas/01-spawn\n../out/spawn.go:31:7: undefined: x\n\tother declaration at (/a/spawn.go:12:2), see spawn.go\n",
		func(file string) string { return "mine/" + filepath.Base(file) })
	want := "# prokata/katas/01-spawn\nmine/spawn.go:31:7: undefined: x\n\tother declaration at (mine/spawn.go:12:2), see spawn.go\n"
	if got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

func TestRename(t *testing.T) {
	f := func() []evidence.Frame { return []evidence.Frame{{File: "a"}} }
	gs := []evidence.Goroutine{{Frames: f(), CreatedBy: &f()[0]}}
	races := []evidence.Race{{Accesses: []evidence.Access{{Frames: f(), Created: f()}}}}
	b := func(string) string { return "b" }
	trace.RenameGoroutines(gs, b)
	trace.RenameRaces(races, b)
	text, err := json.Marshal([]any{gs, races})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), `"file":"b"`); n != 4 {
		t.Errorf("%d of 4 frames renamed: %s", n, text)
	}
}
