package build

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"prokata/checker/internal/source/plan"
)

// A Wall starts a compiler in a sandbox. What it returns is to be called, on the same
// goroutine, once cmd has been waited for.
type Wall func(cmd *exec.Cmd, c Compiler) (end func(), err error)

// A Compiler says what the go command needs to see.
type Compiler struct {
	Repository string   // to be read, but not its answers
	Modules    string   // the module cache, to be read
	Tools      []string // where the go command and the C compiler are, to be read
	Cache      string   // the build cache: to be read, and what is written there to be thrown away
	Dir        string   // the only folder that is to be written, and kept
}

// A starter runs a command to its end.
type starter func(*exec.Cmd) error

// wall is the starter for a compilation of which only dir is to be kept.
func (b *Builder) wall(root, dir string) starter {
	return func(cmd *exec.Cmd) error {
		c := Compiler{Repository: root, Dir: dir, Cache: variable(cmd.Env, "GOCACHE"), Modules: variable(cmd.Env, "GOMODCACHE")}
		for _, tool := range []string{cmd.Path, strings.Fields(variable(cmd.Env, "CC") + " cc")[0]} {
			// …/go/bin/go belongs to …/go.
			if real, err := filepath.EvalSymlinks(tool); err == nil && filepath.IsAbs(real) {
				c.Tools = append(c.Tools, filepath.Dir(filepath.Dir(real)))
			}
		}
		end, err := b.Wall(cmd, c)
		if err != nil {
			return fmt.Errorf("start the compiler: %w", err)
		}
		defer end()
		return cmd.Wait()
	}
}

// prepare compiles what the tests of a kata are made of beside the source under test, with
// the kata's own stub in its place, so that the build cache holds it: what is compiled in
// the sandbox is lost with it. Whether that goes well is seen when it is needed.
func (b *Builder) prepare(ctx context.Context, p plan.Plan) {
	args := append([]string{"list", "-test", "-deps", "-export", "-f", "{{if false}}{{end}}"}, kind(p)...)
	key := p.Kata.Folder + fmt.Sprint(p.Race)
	b.mu.Lock()
	once := b.warm[key]
	if once == nil {
		once = new(sync.Once)
		b.warm[key] = once
	}
	b.mu.Unlock()
	once.Do(func() { _, _ = b.compile(ctx, p.Root, p.Race, append(args, "./katas/"+p.Kata.Folder), nil) })
}

// variable is the last value of an environment's variable.
func variable(env []string, name string) string {
	for _, e := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

// regular tells whether a file is what the linker makes: what a sandbox has written is
// looked at before anybody opens it.
func regular(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}
