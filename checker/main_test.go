package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/tree/observe"
)

// The test binary is also the checker: it supervises runs, and the scripts call it.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "supervise" || os.Args[1] == "boxed") {
		os.Exit(run(os.Args[1:]))
	}
	// A checker of a race-built test binary would sleep for a second at its end, and so
	// would each of its supervisors.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	testscript.Main(watched{m}, map[string]func(){
		"checker": func() { os.Exit(run(os.Args[1:])) },
	})
}

// watched runs the tests and fails if a process of theirs is left.
type watched struct{ m *testing.M }

func (w watched) Run() int {
	code := w.m.Run()
	left, err := observe.Processes(os.Getpid())
	if err != nil {
		return code // not checked on this system
	}
	for _, p := range left {
		fmt.Printf("left behind: pid %d %q (%s)\n", p.PID, p.Name, p.State)
		code = 1
	}
	return code
}

// TestScripts runs testdata/script/*.txtar: the command line as a person uses it. A
// script that begins with "katas" gets an empty repository of its own, in which the
// archive's files stand; the others run in this one.
func TestScripts(t *testing.T) {
	root, err := kata.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	goCache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join(root, "testdata", "script"),
		Setup: func(e *testscript.Env) error {
			for _, name := range []string{"HOME", "GOCACHE", "GOMODCACHE", "GOFLAGS", "CC"} {
				if value, ok := os.LookupEnv(name); ok && name != "GOFLAGS" {
					e.Setenv(name, value)
				}
			}
			if home, err := os.UserHomeDir(); err == nil {
				e.Setenv("HOME", home)
			}
			e.Setenv("ROOT", root)
			// What is proved in one run of a script must not answer in another; the build
			// cache is the person's own.
			e.Setenv("GOCACHE", strings.TrimSpace(string(goCache)))
			e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, "cache"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// status N COMMAND… runs the command and expects exit status N.
			"status": func(ts *testscript.TestScript, _ bool, args []string) {
				err := ts.Exec(args[1], args[2:]...)
				got := "0"
				if err != nil {
					got = strings.TrimPrefix(err.Error(), "exit status ")
				}
				if got != args[0] {
					ts.Fatalf("exit status %s, not %s", got, args[0])
				}
			},
		},
	})
}
