package instrument_test

import (
	"regexp"
	"strings"
	"testing"

	"prokata/checker/internal/source/instrument"
)

// TestPlacement shows where hooks go: P is Point, A is After, S is Starting, O
// is Opening and D is Opened; arguments are left out.
func TestPlacement(t *testing.T) {
	for _, tt := range []struct{ reason, src, want string }{
		{"nothing to do", `x := 1; _ = x`, `x := 1; _ = x`},
		{"a lock", `mu.Lock()`, `P;mu.Lock()`},
		{"a channel", `ch <- 1; <-ch; close(ch)`, `P;ch <- 1; P;<-ch; P;close(ch)`},
		{"a deferred call happens later", `defer mu.Unlock()`, `defer mu.Unlock()`},
		{"but not its arguments", `defer f(<-ch)`, `P;defer f(<-ch)`},
		{"a goroutine may come late", `go func() { x() }()`, `go func() {P; x() }()`},
		{"so may one of a wait group", `wg.Go(func() { x() })`, `P;wg.Go(func() {P; x() })`},
		{"a select, not its cases", `select { case <-ch: f(); case ch <- 1: }`, `P;select { case <-ch: f(); case ch <- 1: }`},
		{"a label stays at its loop", `l: for { mu.Lock(); continue l }`, `l: for { P;mu.Lock(); continue l }`},
		{"also when the loop has the call", `l: for <-ch { break l }`, `P;l: for <-ch {P; break l }`},
		{"a condition that is evaluated again", `for mu.TryLock() { f() }`, `P;for mu.TryLock() {P; f() }`},
		{"an else-if belongs to the if", `if a { f() } else if mu.TryLock() { g() }`, `P;if a { f() } else if mu.TryLock() { g() }`},
		{"between the two halves of an increment", `m.Store(0, m.Load(0)+1)`, `P;m.Store(0, A(m.Load(0))+1)`},
		{"an argument beside others", `m.Store(0, m.Load(0))`, `P;m.Store(0, A(m.Load(0)))`},
		{"a lone argument may be two values", `ch.Put(m.Load(0))`, `P;ch.Put(m.Load(0))`},
		{"package functions by import path", `os.Stat("x"); os.Getpid(); atomic.AddInt64(&n, 1)`, `P;os.Stat("x"); os.Getpid(); P;atomic.AddInt64(&n, 1)`},
		{"an import under another name", `u.Flock(1, 2)`, `P;u.Flock(1, 2)`},
		{"a pipe", `r, w, err := os.Pipe(); f(r, w, err)`, `P;O;r, w, err := os.Pipe();D; f(r, w, err)`},
		{"a child", `cmd.Start()`, `P;S;O;cmd.Start();D`},
		{"in a condition", `if err := cmd.Start(); err != nil { f() }`, `P;S;O;if err := cmd.Start(); err != nil {D; f() };D`},
		{"with an else nothing may follow", `if err := cmd.Start(); err != nil { f() } else { g() }`, `P;S;O;if err := cmd.Start(); err != nil {D; f() } else {D; g() }`},
		{"unless something did before", `if err := cmd.Start(); err != nil { f() } else { g() }; f()`, `P;S;O;if err := cmd.Start(); err != nil {D; f() } else {D; g() };D; f()`},
		{"a switch", `switch f, err := os.Open("x"); err { case nil: f.Close(); fallthrough; default: g() }`, `P;O;switch f, err := os.Open("x"); err { case nil:D; P;f.Close(); fallthrough; default:D; g() }`},
		{"a return", `return os.Pipe()`, `P;O;defer D;return os.Pipe()`},
		{"a function literal is a list of its own", `f(func() error { return cmd.Start() })`, `f(func() error { P;S;O;defer D;return cmd.Start() })`},
		{"a child that has ended leaves nothing open", `cmd.Run()`, `P;S;cmd.Run()`},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			const before = "package p // comment\n\nimport (\n\t\"os\"\n\t\"sync/atomic\"\n\tu \"golang.org/x/sys/unix\"\n)\n\nfunc p() {\n"
			out, err := instrument.File("/src/p.go", []byte(before+tt.src+"\n}\n"), instrument.Points|instrument.Sites)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(string(out), "\n")
			if lines[0] != "//line /src/p.go:1" {
				t.Errorf("line 0 is %q", lines[0])
			}
			got := lines[10]
			got = regexp.MustCompile(`prokata_hook\.After\((.*?\))(,\d+)\)`).ReplaceAllString(got, "A($1)")
			got = regexp.MustCompile(`prokata_hook\.(\w+)\([^)]*\)`).ReplaceAllStringFunc(got, func(s string) string {
				return map[string]string{"Poi": "P", "Sta": "S", "Opening": "O", "Opened": "D"}[regexp.MustCompile(`Poi|Sta|Opening|Opened`).FindString(s)]
			})
			if got != tt.want {
				t.Errorf("%s\ngot  %s\nwant %s", tt.src, got, tt.want)
			}
			if hooked := got != tt.src; hooked != strings.Contains(lines[1], ";import prokata_hook ") {
				t.Errorf("hooks: %v, but line 1 is %q", hooked, lines[1])
			}
		})
	}
}

func TestChosenHooks(t *testing.T) {
	src := []byte("package p\n\nfunc f() { mu.Lock(); cmd.Start() }\n")
	for hooks, want := range map[instrument.Hooks][]string{
		0:                 nil,
		instrument.Points: {"Point", "Point", "Starting"},
		instrument.Sites:  {"Opening", "Opened"},
	} {
		out, err := instrument.File("/src/p.go", src, hooks)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range regexp.MustCompile(`prokata_hook\.(\w+)\(`).FindAllStringSubmatch(string(out), -1) {
			got = append(got, m[1])
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("hooks %d: %v, want %v", hooks, got, want)
		}
	}
}

func TestUnparsable(t *testing.T) {
	for _, src := range []string{"", "package", "func", "package p\n\nfunc {", "\x00"} {
		out, err := instrument.File("/src/p.go", []byte(src), instrument.Points)
		if err != nil || string(out) != "//line /src/p.go:1\n"+src {
			t.Errorf("%q: %q, %v", src, out, err)
		}
	}
	out, err := instrument.File("/src/p.go", []byte("\uFEFFpackage p\n"), instrument.Points)
	if err != nil || string(out) != "//line /src/p.go:1\npackage p\n" {
		t.Errorf("a byte order mark stayed where it is illegal: %q, %v", out, err)
	}
}

func TestReadSites(t *testing.T) {
	sites, err := instrument.ReadSites("12\tfd\t7\tpipe:[3]\t/a/b:c.go:31\tmaybe\nbroken\n12\tchild\t13\tcat\t/a.go:x\tsure\n12\tchild\t13\tcat\t/a.go:2\tsure\n")
	want := []instrument.Site{
		{PID: 12, Kind: "fd", Number: 7, Name: "pipe:[3]", File: "/a/b:c.go", Line: 31},
		{PID: 12, Kind: "child", Number: 13, Name: "cat", File: "/a.go", Line: 2, Sure: true},
	}
	if len(sites) != 2 || sites[0] != want[0] || sites[1] != want[1] {
		t.Errorf("got %+v", sites)
	}
	if err == nil || strings.Count(err.Error(), "site ") != 2 {
		t.Errorf("error %v, want one for each broken line", err)
	}
}
