package policy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"prokata/checker/internal/prove/flaw"
	"prokata/checker/internal/prove/steps"
	"prokata/checker/internal/source/intake"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/patch"
	"prokata/checker/internal/source/policy"
)

// judged returns the rules that a source breaks: "init!" is refused, "init" noted.
func judged(src string, s policy.Strength) string {
	var rules []string
	for _, v := range policy.Sources(map[string][]byte{"a.go": []byte(src)}, s) {
		rule := v.Rule
		if v.Refuse {
			rule += "!"
		}
		if !slices.Contains(rules, rule) {
			rules = append(rules, rule)
		}
	}
	return strings.Join(rules, " ")
}

// TestSources has a source for each rule. A learner's and an untrusted verdict
// stand beside it.
func TestSources(t *testing.T) {
	// named finds the packages that a source uses, so that rows need no imports.
	named := regexp.MustCompile(`\b(os|syscall|unix|runtime|debug|log|flag|time|reexec|sync|fmt|gob|errors|signal|strings|exec)\.`)
	paths := map[string]string{"unix": "golang.org/x/sys/unix", "debug": "runtime/debug", "reexec": "github.com/moby/sys/reexec", "gob": "encoding/gob", "signal": "os/signal", "exec": "os/exec"}
	for _, tt := range []struct{ reason, src, learner, untrusted string }{
		// Imports.
		{"C", `import "C"`, "import!", "import!"},
		{"a plugin", `import "plugin"`, "import!", "import!"},
		{"unsafe is for the fast forms", `import "unsafe"`, "", "import!"},
		{"an alias hides nothing", `import x "unsafe"`, "", "import!"},
		{"a dot import does", `import . "os"`, "", "import!"},
		{"embedding", `import _ "embed"`, "", "import!"},
		{"testing", `import "testing"`, "import", "import!"},
		{"a part of testing", `import "testing/synctest"`, "import", "import!"},
		{"the solution", `import "prokata/solutions/01-spawn"`, "import!", "import!"},
		{"the harness", `import "prokata/checker/harness"`, "import!", "import!"},
		{"the checker", `import "prokata/checker/internal/tree/wire"`, "import!", "import!"},
		{"the hooks", `import "prokata/checker/perturb"`, "import!", "import!"},
		{"another kata", `import "prokata/katas/02-pool"`, "import!", "import!"},
		{"what is for katas", "import \"prokata/checker/shm\"\nimport \"prokata/checker/todo\"", "", ""},
		{"known modules", "import \"golang.org/x/sync/errgroup\"\nimport \"github.com/moby/sys/reexec\"", "", ""},
		{"other modules", `import "go.uber.org/goleak"`, "", "import!"},
		{"reading programs", `import "debug/elf"`, "", "import!"},
		{"what no kata needs", `import "net/http/pprof"`, "", "import!"},
		{"what is made tomorrow", `import "os/tomorrow"`, "", "import!"},
		{"a relative path", `import "../../solutions/01-spawn"`, "import!", "import!"},

		// Comments that are not comments.
		{"linkname", "//go:linkname f runtime.f\nfunc f()", "pragma!", "pragma!"},
		{"no race detector", "//go:norace\nfunc f() {}", "pragma!", "pragma!"},
		{"embedded files", "//go:embed a_test.go\nvar s string", "", "pragma!"},
		{"runtime settings", "//go:debug x=1", "", "pragma!"},
		{"not inlined, generated", "//go:noinline\nfunc f() {}\n//go:generate true", "", ""},
		{"only a comment", "// go:norace says nothing, norace //go:norace neither\nfunc f() {}", "", ""},
		{"another file's name", "//line harness.go:1\nfunc f() {}", "pragma!", "pragma!"},
		{"the same, within a line", "func f() { /*line harness.go:1:1*/ }", "pragma!", "pragma!"},
		{"for C", "//export f\nfunc f() {}", "", "pragma!"},

		// Initialization.
		{"exit at once", `func init() { os.Exit(0) }`, "init!", "init!"},
		{"exit through a function", "func init() { f() }\nfunc f() { g() }\nfunc g() { syscall.Exit(0) }", "init!", "init!"},
		{"exit in a variable", "var x = f()\nfunc f() int { os.Exit(0); return 1 }", "init!", "init!"},
		{"exit in a literal that is called", `var _ = func() int { os.Exit(0); return 0 }()`, "init!", "init!"},
		{"exit in a deferred literal", `func init() { defer func() { unix.Exit(0) }() }`, "init!", "init!"},
		{"exit by a method", "type t int\nfunc (t) m() { log.Fatal() }\nvar x t\nfunc init() { x.m() }", "init!", "init!"},
		{"exit when printed", "type t int\nfunc (t) String() string { os.Exit(0); return \"\" }\nvar _ = fmt.Sprint(t(0))", "init!", "init!"},
		{"exit when called back", "func init() { strings.Map(f, \"x\") }\nfunc f(r rune) rune { os.Exit(0); return r }", "init!", "init!"},
		{"exit when ranged over", "func init() { for range f { } }\nfunc f(func() bool) { os.Exit(0) }", "init!", "init!"},
		{"exit of a generic function", "func init() { f[int]() }\nfunc f[T any]() { os.Exit(0) }", "init!", "init!"},
		{"exit in a literal that is called back", `func init() { strings.Map(func(r rune) rune { os.Exit(0); return r }, "x") }`, "init!", "init!"},
		{"a literal that is kept", "var x func()\nfunc init() { x = func() { os.Exit(0) } }", "", ""},
		{"and called", "var x func()\nfunc init() { x = func() { os.Exit(0) }; x() }", "", "init!"},
		{"another program", `func init() { syscall.Exec("/bin/true", nil, nil) }`, "process init!", "process! init!"},
		{"exit under another name", "var exit = os.Exit\nfunc init() { exit(0) }", "", "init!"},
		{"exit out of a table", "var table = map[string]func(int){\"x\": os.Exit}\nfunc init() { table[\"x\"](0) }", "", "init!"},
		{"a goroutine", `func init() { go func() {}() }`, "init", "init!"},
		{"something else", `func init() { os.Remove("x") }`, "", "init!"},
		{"an unknown method", "var c = exec.Command(\"true\")\nfunc init() { c.Run() }", "", "init!"},
		{"a timer", "var t = time.AfterFunc(1, nil)", "", "init!"},
		{"registering", "func init() { reexec.Register(\"child\", child); Register(\"x\", func() int { os.Exit(1); return 0 }) }\nfunc child() { os.Exit(0) }\nvar funcs = map[string]func() int{}\nfunc Register(n string, f func() int) { funcs[n] = f }", "", ""},
		{"a table of functions", "var table = map[string]func(){\"a\": func() { os.Exit(3) }, \"b\": b}\nfunc b() { os.Exit(2) }", "", ""},
		{"values", "var (\n\terr = errors.New(\"x\")\n\tmu sync.Mutex\n\td = time.Duration(3) * time.Second\n\tn = max(1, len(os.Args))\n\tonce = sync.OnceValue(func() int { return 1 })\n\tsig = syscall.Signal(9)\n\tb = []byte(\"x\")\n)\nfunc init() { gob.Register(map[string]int{}) }", "", ""},
		{"registering what a function makes", "func init() { reexec.Register(\"child\", child(part)) }\nfunc part() int { os.Exit(1); return 0 }\nfunc child(f func() int) func() { return func() { os.Exit(f()) } }", "", ""},
		{"exit where a child ends", `func child() { os.Exit(3) }`, "", ""},

		// What reaches for the harness.
		{"arguments replaced", `func f() { os.Args = nil }`, "flags!", "flags!"},
		{"arguments appended to", `func f() { os.Args = append(os.Args, "x") }`, "flags!", "flags!"},
		{"an argument replaced", `func f() { os.Args[1] = "x" }`, "flags!", "flags!"},
		{"a slice of them", `func f() { copy(os.Args[1:], nil) }`, "", "flags!"},
		{"them under another name", `func f() { args := os.Args; args[0] = "x" }`, "", "flags!"},
		{"them handed on", "func f() { g(os.Args) }\nfunc g([]string) {}", "", "flags!"},
		{"a part of them read", "func f() { g(os.Args[3:]) }\nfunc g([]string) {}", "", ""},
		{"their number, and each", `func f() { _ = len(os.Args); for range os.Args { } }`, "", ""},
		{"their address", `func f() { p := &os.Args; _ = p }`, "flags!", "flags!"},
		{"arguments read", `func f() { _ = os.Args[0] }`, "", ""},
		{"a flag set", `func f() { flag.Set("x", "y") }`, "flags!", "flags! import!"},
		{"the crash output", `func f() { debug.SetCrashOutput(nil, debug.CrashOptions{}) }`, "runtime!", "runtime! use!"},
		{"a function that no kata needs", `func f() { os.Lchown("x", 0, 0) }`, "", "use!"},
		{"as a value", `var f = os.Lchown`, "", "use!"},
		{"under another package's name", "import x \"os\"\nfunc f() { x.Lchown(\"x\", 0, 0) }", "", "use!"},
		{"a variable that hides a package", "func f() { os := struct{ Lchown int }{}; _ = os.Lchown }", "", ""},
		{"a dump of the heap", `func f() { debug.WriteHeapDump(1) }`, "", "use!"},
		{"reflection on what it likes", "import \"reflect\"\nvar v = reflect.NewAt", "", "use!"},
		{"comparing by reflection", "import \"reflect\"\nvar v = reflect.DeepEqual", "", ""},
		{"memory that can be run", `func f() { syscall.Mprotect(nil, syscall.PROT_EXEC) }`, "", "use!"},
		{"a setting by its number", `func f() { unix.Prctl(4, 0, 0, 0, 0) }`, "", "kernel!"},
		{"a setting as a value", `var f = unix.Prctl`, "", "kernel!"},
		{"limits of another process", `func f() { unix.Prlimit(1, 0, nil, nil) }`, "system", "system use!"},
		{"the goroutine of a test ended", `func f() { runtime.Goexit() }`, "", "use!"},
		{"a call that reads as a conversion", "type note string\nfunc init() { note := os.WriteFile; note(\"x\", nil, 0) }", "", "init!"},
		{"one that reads as predeclared", "var len = os.Exit\nfunc init() { len(0) }", "", "init!"},
		{"attributes without names", `var a = syscall.SysProcAttr{"", nil}`, "", "process!"},
		{"attributes without a literal", `var a = new(syscall.SysProcAttr)`, "", "process!"},
		{"attributes handed on", "func f(c *exec.Cmd) { g(c.SysProcAttr) }\nfunc g(any) {}", "", "process!"},
		{"one attribute set", `func f(c *exec.Cmd) { c.SysProcAttr.Setpgid = true }`, "", ""},
		{"a stack", `func f() { debug.PrintStack() }`, "", ""},
		{"the race detector", `func f() { runtime.RaceDisable() }`, "runtime!", "runtime!"},
		{"the race detector told", `func f() { runtime.RaceRelease(nil) }`, "runtime", "runtime!"},
		{"output replaced", `func f() { os.Stdout = nil }`, "output", "output"},
		{"a constraint", "//go:build linux && !darwin", "", ""},
		{"built for the race detector", "//go:build !race", "constraint!", "constraint!"},
		{"in the old form", "// +build race", "constraint!", "constraint!"},
		{"not built", "//go:build ignore", "constraint", "constraint"},
		{"a tag of one's own", "//go:build mine", "", "constraint!"},
		{"everybody killed", `func f() { syscall.Kill(-1, 9) }`, "signal!", "signal!"},
		{"init killed", `func f() { unix.Kill(1, 9) }`, "signal", "signal!"},
		{"the parent killed", `func f() { syscall.Kill(os.Getppid(), 9) }`, "", "signal"},
		{"the parent's group", `func f() { syscall.Kill(-syscall.Getppid(), 9) }`, "", "signal"},
		{"the parent found", `func f() { os.FindProcess(os.Getppid()) }`, "", "signal"},
		{"the own group", `func f() { syscall.Kill(0, 9) }`, "", "signal"},
		{"a child", `func f(pid int) { syscall.Kill(-pid, 9) }`, "", ""},
		{"another process's memory", `func f() { unix.ProcessVMReadv(1, nil, nil, 0) }`, "process!", "process!"},
		{"a debugger", `func f() { syscall.PtraceAttach(1) }`, "process!", "process!"},
		{"a debugger by attribute", `func f() { _ = &syscall.SysProcAttr{Ptrace: true} }`, "process!", "process!"},
		{"new namespaces", `func f(a *syscall.SysProcAttr) { a.Cloneflags = 1 }`, "", "process!"},
		{"a process group", `func f() { _ = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: 9} }`, "", ""},
		{"a session", `func f() { _ = &syscall.SysProcAttr{Setsid: true} }`, "", "process"},
		{"orphans taken", `func f() { unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }`, "", "kernel!"},
		{"another setting", `func f() { unix.Prctl(unix.PR_SET_PDEATHSIG, 9, 0, 0, 0) }`, "kernel", "kernel"},
		{"a call by number", `func f() { syscall.RawSyscall(60, 0, 0, 0) }`, "", "kernel!"},
		{"all descriptors closed", `func f() { unix.CloseRange(3, 9, 0) }`, "kernel", "kernel!"},
		{"the harness's environment", `func f() { os.Unsetenv("PROKATA_RUN") }`, "environment!", "environment!"},
		{"in pieces", `func f() { os.Unsetenv("PRO" + ("KATA_" + "RUN")) }`, "environment!", "environment!"},
		{"no environment", `func f() { os.Clearenv() }`, "environment!", "environment!"},
		{"the tests' sources", "func f() { os.ReadFile(`/x/katas/a_test.go`) }", "", "files"},
		{"the kernel's view", `func f() { os.ReadFile("/proc/self/status") }`, "", "files"},
		{"the memory of processes", `func f(pid int) { os.Open(fmt.Sprintf("/proc/%d/mem", pid)) }`, "files", "files! files"},
		{"what tests print", `func f() { fmt.Println("\x16--- PASS: TestHello (0.00s)") }`, "", "output"},
		{"a flag of the tests", `func f() { exec.Command("x", "-test.run=^$") }`, "", "flags"},
		{"not Go", `func {`, "syntax", "syntax!"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			src := "package a\n"
			if strings.HasPrefix(tt.src, "//go:build") || strings.HasPrefix(tt.src, "// +build") {
				src = tt.src + "\n\npackage a\n"
			} else {
				var have []string
				for _, m := range named.FindAllStringSubmatch(tt.src, -1) {
					if strings.Contains(tt.src, "import") || slices.Contains(have, m[1]) {
						continue
					}
					have = append(have, m[1])
					path := paths[m[1]]
					if path == "" {
						path = m[1]
					}
					src += "import \"" + path + "\"\n"
				}
				src += tt.src
			}
			// The order of rules within a line is of no interest.
			same := func(a, b string) bool {
				x, y := strings.Fields(a), strings.Fields(b)
				slices.Sort(x)
				slices.Sort(y)
				return slices.Equal(x, y)
			}
			if got := judged(src, policy.Learner); !same(got, tt.learner) {
				t.Errorf("learner: %q, want %q\n%s", got, tt.learner, src)
			}
			if got := judged(src, policy.Untrusted); !same(got, tt.untrusted) {
				t.Errorf("untrusted: %q, want %q\n%s", got, tt.untrusted, src)
			}
		})
	}
}

// TestLines: a violation names its line, whatever a directive says.
func TestLines(t *testing.T) {
	src := "package a\n\n//line other.go:70\nimport \"os\"\n\nfunc init() {\n\tos.Exit(0)\n}\n"
	var got []string
	for _, v := range policy.Sources(map[string][]byte{"a.go": []byte(src)}, policy.Learner) {
		got = append(got, v.String())
	}
	want := []string{
		"a.go:3: pragma: a line directive: findings would name the wrong place",
		"a.go:7: init: os.Exit is called before the tests begin: they would never run",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestAcrossFiles: a function that init calls may stand in another file.
func TestAcrossFiles(t *testing.T) {
	vs := policy.Sources(map[string][]byte{
		"a.go": []byte("package a\nfunc init() { f() }\n"),
		"b.go": []byte("package a\nimport \"os\"\nfunc f() { os.Exit(0) }\n"),
	}, policy.Learner)
	if len(vs) != 1 || vs[0].File != "b.go" || vs[0].Line != 3 || !vs[0].Refuse {
		t.Errorf("got %v", vs)
	}
}

func TestFiles(t *testing.T) {
	for _, tt := range []struct {
		reason             string
		make               func(t *testing.T, dir string)
		learner, untrusted string
	}{
		{"one file", write("a.go", "package a\n"), "", ""},
		{"the kata's folder as it stands", func(t *testing.T, dir string) {
			for _, name := range []string{"README.md", "kata.json", "a_test.go", ".DS_Store", "_old.go"} {
				write(name, "package a\nimport \"C\"\n")(t, dir)
			}
		}, "", "a_test.go:ignored"},
		{"assembly", write("a.s", "TEXT"), "a.s:file!", "a.s:file!"},
		{"an object", write("a.syso", "x"), "a.syso:file!", "a.syso:file!"},
		{"a header", write("a.h", "x"), "a.h:file!", "a.h:file!"},
		{"a link", func(t *testing.T, dir string) { link(t, "/etc/passwd", filepath.Join(dir, "b.go")) }, "b.go:file!", "b.go:file!"},
		{"a link to nowhere", func(t *testing.T, dir string) { link(t, "nowhere", filepath.Join(dir, "b.go")) }, "b.go:file!", "b.go:file!"},
		{"a pretty name", write("My Spawn.go", "package a\n"), "My Spawn.go:file", "My Spawn.go:file!"},
		{"an option for a name", write("-o.go", "package a\n"), "-o.go:file", "-o.go:file!"},
		{"a large file", write("b.go", "package a\n"+strings.Repeat("/", 1<<20)), "b.go:size!", "b.go:size!"},
		{"many files", func(t *testing.T, dir string) {
			for i := range 33 {
				write(string(rune('a'+i%26))+strings.Repeat("b", i/26+1)+".go", "package a\n")(t, dir)
			}
		}, "zb.go:size!", "zb.go:size!"},
		{"a folder", func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "sub.go"), 0o777); err != nil {
				t.Fatal(err)
			}
		}, "", "sub.go:ignored"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			dir := t.TempDir()
			tt.make(t, dir)
			for s, want := range map[policy.Strength]string{policy.Learner: tt.learner, policy.Untrusted: tt.untrusted} {
				vs := policy.Check(taken(t, dir), s)
				var got []string
				for _, v := range vs {
					mark := ""
					if v.Refuse {
						mark = "!"
					}
					got = append(got, v.File+":"+v.Rule+mark)
				}
				if strings.Join(got, " ") != want {
					t.Errorf("strength %d: %v, want %q", s, got, want)
				}
			}
		})
	}
}

func taken(t *testing.T, dir string) intake.Submission {
	t.Helper()
	s, err := intake.Dir(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(name, content string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func link(t *testing.T, old, name string) {
	t.Helper()
	if err := os.Symlink(old, name); err != nil {
		t.Skip(err)
	}
}

// TestOurOwn: no stub, solution, fast form, witness of a step or known mistake is refused,
// of whoever it comes.
func TestOurOwn(t *testing.T) {
	const root = "../../../.."
	sources := map[string]string{} // a folder, and what a person calls it
	for pattern, least := range map[string]int{"katas/[0-9]*": 10, "solutions/[0-9]*": 10, "solutions/fast/*": 3, "testdata/flawed/*/*" + patch.Ext: 408} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(paths) < least {
			t.Fatalf("%s: %d sources, want at least %d (error %v)", pattern, len(paths), least, err)
		}
		for _, path := range paths {
			dir := path
			if filepath.Ext(path) == patch.Ext {
				if dir, err = flaw.Unpack(root, path, t.TempDir()); err != nil {
					t.Fatal(err)
				}
			}
			sources[dir] = path
		}
	}
	katas, err := kata.All(root)
	if err != nil {
		t.Fatal(err)
	}
	witnesses := 0
	for _, k := range katas {
		if len(k.Steps) == 0 {
			continue
		}
		dir := t.TempDir()
		names, err := steps.Unpack(root, k, dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			sources[filepath.Join(dir, name)] = filepath.Join("testdata/steps", k.Folder, name)
			witnesses++
		}
	}
	if witnesses < 20 {
		t.Fatalf("%d witnesses, want at least 20", witnesses)
	}
	for dir, called := range sources {
		submission := taken(t, dir)
		if len(submission.Files) == 0 {
			t.Errorf("%s: nothing was looked at", called)
		}
		for _, s := range []policy.Strength{policy.Learner, policy.Untrusted} {
			for _, v := range policy.Check(submission, s) {
				if v.Refuse {
					t.Errorf("strength %d: %s: %s", s, called, v)
				}
			}
		}
	}
}

// TestLinear: however long a source is made of few kinds of things, it takes no more than
// its length: ten times as much takes some ten times as long, and not a hundred times. What
// grows is counted in allocated bytes, which no other program has a part in.
func TestLinear(t *testing.T) {
	for name, source := range map[string]func(n int) string{
		"a sum of texts":            func(n int) string { return "var s = x" + strings.Repeat(`+"a"`, n) + "\nvar x string" },
		"a sum of texts and others": func(n int) string { return "var s = x" + strings.Repeat(`+"a"+x`, n) + "\nvar x string" },
		"parentheses":               func(n int) string { return "var s = " + strings.Repeat("(", n/4) + "1" + strings.Repeat(")", n/4) },
		"calls": func(n int) string {
			return "func f(int) int\nvar s = " + strings.Repeat("f(", n/4) + "1" + strings.Repeat(")", n/4)
		},
		"texts that double": func(n int) string { return "const c = \"x\"" + strings.Repeat("\nconst c2 = c + c", n/16) },
		"functions":         func(n int) string { return strings.Repeat("func f() { g() }\n", n/16) },
		"comments":          func(n int) string { return strings.Repeat("//go:build x\n", n/8) },
	} {
		t.Run(name, func(t *testing.T) {
			cost := func(n int) uint64 {
				src := []byte("package a\n" + source(n) + "\n")
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				policy.Sources(map[string][]byte{"a.go": src}, policy.Untrusted)
				runtime.ReadMemStats(&after)
				return after.TotalAlloc - before.TotalAlloc
			}
			cost(8)
			if few, many := cost(2_000), cost(20_000); many > 30*few {
				t.Errorf("%d bytes for a source, and %d for one ten times as long", few, many)
			}
		})
	}
}

// TestMistakes: a learner is told of a mistake and never accused; who is not trusted gets
// no such favour.
func TestMistakes(t *testing.T) {
	for _, tt := range []struct {
		reason, name, src string
		mistake           bool
	}{
		{"a child that is no function", "a.go", "package a\nimport \"os\"\nfunc init() { os.Exit(0) }\n", true},
		{"C code", "a.go", "package a\nimport \"C\"\n", true},
		{"assembly", "a.s", "TEXT", true},
		{"a signal to everybody", "a.go", "package a\nimport \"syscall\"\nfunc f() { syscall.Kill(-1, 9) }\n", true},
		{"hidden from the race detector", "a.go", "package a\n//go:norace\nfunc f() {}\n", true},
		{"the flags of the tests", "a.go", "package a\nimport \"os\"\nfunc f() { os.Args = nil }\n", true},
		{"a name like the harness's", "a.go", "package a\nconst debug = \"PROKATA_DEBUG\"\n", true},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			dir := t.TempDir()
			write(tt.name, tt.src)(t, dir)
			for s, want := range map[policy.Strength]bool{policy.Learner: tt.mistake, policy.Untrusted: false} {
				vs := policy.Check(taken(t, dir), s)
				if len(vs) == 0 || !policy.Refused(vs) {
					t.Fatalf("strength %d: not refused: %v", s, vs)
				}
				for _, v := range vs {
					if v.Refuse && v.Mistake != want {
						t.Errorf("strength %d: mistake %v, want %v: %s", s, v.Mistake, want, v)
					}
				}
			}
		})
	}
}
