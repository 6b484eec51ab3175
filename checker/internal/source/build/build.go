// Package build compiles a kata's tests together with the source under test: "go
// test -c -overlay" puts that source in the stub's place, so that nothing is
// copied, the build cache is shared, and a submission can bring no test.
package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/instrument"
	"prokata/checker/internal/source/plan"
)

// A Builder compiles test binaries into Dir.
type Builder struct {
	Dir string // a folder of the builder's own, removed by whoever made it

	// Progress, if set, is told the name of each package that has to be
	// compiled, which for the first race build is the whole standard library.
	Progress func(pkg string, race bool)

	// Wall, if set, starts a compilation of what is not trusted in a sandbox.
	Wall Wall

	// Longest bounds one call of the go command, which may be the first and have the
	// standard library to compile; 15 minutes if 0.
	Longest time.Duration

	tool func() (tool, error)

	mu   sync.Mutex
	made map[string]Binary     // what was built, by what decides it
	warm map[string]*sync.Once // what the katas' own stubs need, compiled outside of the sandbox, by kata and kind of build
}

// New returns a builder that works in dir.
func New(dir string) *Builder {
	return &Builder{Dir: dir, tool: sync.OnceValues(func() (tool, error) { return findTool(dir) }), made: map[string]Binary{}, warm: map[string]*sync.Once{}}
}

// Tools tells with what the builder works: the go command, its version and settings. It
// is empty where there is none.
func (b *Builder) Tools() string {
	t, err := b.tool()
	if err != nil {
		return ""
	}
	env := slices.DeleteFunc(slices.Clone(t.env), func(e string) bool { return strings.HasPrefix(e, "TMPDIR=") })
	return fmt.Sprintf("%q %q %q", t.path, t.version, env)
}

// A Binary is what was built.
type Binary struct {
	Path  string
	Mark  string // what the harness in it says that it was made of
	Build evidence.Build
	Sites []evidence.Site
}

// Binary compiles the plan. A source that does not compile is no error but a
// Build that is not OK; an error is the checker's own trouble (no compiler, no
// space). The same plan is compiled once, whatever its seed.
func (b *Builder) Binary(ctx context.Context, p plan.Plan) (Binary, error) {
	key := fmt.Sprint(p.Kata.Dir, "\x00", p.Label, "\x00", p.Sum, p.Race, p.Vet)
	b.mu.Lock()
	bin, ok := b.made[key]
	b.mu.Unlock()
	if ok {
		return bin, nil
	}
	bin, err := b.build(ctx, p)
	if err == nil {
		b.mu.Lock()
		b.made[key] = bin
		b.mu.Unlock()
	}
	return bin, err
}

func (b *Builder) build(ctx context.Context, p plan.Plan) (Binary, error) {
	start := time.Now()
	done := func(bin Binary) Binary {
		bin.Build.Seconds = time.Since(start).Seconds()
		return bin
	}
	refused := func(why string) (Binary, error) {
		return done(Binary{Build: evidence.Build{Output: why}}), nil
	}
	if problem := check(p); problem != "" {
		return refused(problem)
	}
	// A source that does not compile is compiled again without hooks, so that the
	// compiler's words are about the learner's text alone.
	var text string
	for _, hooks := range []instrument.Hooks{instrument.Points | instrument.Sites, 0} {
		bin, complaints, err := b.attempt(ctx, p, hooks)
		if err != nil || bin.Build.OK {
			return done(bin), err
		}
		text = complaints
	}
	learner, err := b.blame(ctx, p, text)
	if err != nil {
		return Binary{}, err
	}
	if !learner {
		// Whatever it was has passed.
		bin, _, err := b.attempt(ctx, p, instrument.Points|instrument.Sites)
		if err != nil || bin.Build.OK {
			return done(bin), err
		}
	}
	return refused(words(text, p))
}

// attempt compiles the plan once. The complaints are the go command's or, of a source
// that changes meanwhile, our own.
func (b *Builder) attempt(ctx context.Context, p plan.Plan, hooks instrument.Hooks) (bin Binary, complaints string, err error) {
	dir, err := os.MkdirTemp(b.Dir, p.Kata.Folder+"-")
	if err != nil {
		return Binary{}, "", fmt.Errorf("make a folder for the test binary: %w", err)
	}
	// No flag that would have the standard library compiled once more: as it was compiled
	// for the checker, and for a learner's own "go test", it is in the cache.
	args := []string{"test", "-c", "-v", "-ldflags=-w"}
	if !p.Vet {
		args = append(args, "-vet=off")
	}
	args = append(args, kind(p)...)
	overlay, err := b.overlay(dir, p, hooks)
	if err != nil {
		return Binary{}, "", err
	}
	path := filepath.Join(dir, p.Kata.Package()+".test")
	var wall starter
	if b.Wall != nil {
		b.prepare(ctx, p)
		wall = b.wall(p.Root, dir)
	}
	text, err := b.compile(ctx, p.Root, p.Race, append(args, "-overlay="+overlay, "-o", path, "./katas/"+p.Kata.Folder), wall)
	if err != nil || text != "" {
		return Binary{}, text, err
	}
	if !regular(path) {
		return Binary{}, "", fmt.Errorf("%s is not what the linker makes", path)
	}
	bin = Binary{Path: path, Mark: p.Sum, Sites: append(sites(p), contexts(p)...)}
	bin.Build.OK = true
	return bin, "", nil
}

// kind are the flags that decide what the packages are compiled to, and so what of them is
// in the build cache.
func kind(p plan.Plan) []string {
	if p.Race {
		return []string{"-race"}
	}
	return nil
}

// compile runs the go command and returns its complaints. The error is that it could
// not be run.
func (b *Builder) compile(ctx context.Context, dir string, race bool, args []string, start starter) (complaints string, err error) {
	t, err := b.tool()
	if err != nil {
		return "", err
	}
	if race && t.lacks != nil {
		return "", t.lacks
	}
	bounded, cancel := context.WithTimeout(ctx, b.longest())
	defer cancel()
	cmd := t.command(bounded, dir, args...)
	cmd.WaitDelay = 5 * time.Second
	wholeGroup(cmd)
	out := &output{progress: func(pkg string) {
		if b.Progress != nil {
			b.Progress(pkg, race)
		}
	}}
	cmd.Stdout, cmd.Stderr = out, out
	if start == nil {
		err = cmd.Run()
	} else {
		err = start(cmd)
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err == nil:
		return "", nil
	case bounded.Err() != nil:
		return fmt.Sprintf("the compiler had not ended after %v", b.longest()), nil
	case !errors.As(err, &exit):
		return "", fmt.Errorf("start the go command: %w", err)
	}
	return cmp.Or(strings.TrimSpace(out.String()), "the go command ended: "+err.Error()), nil
}

func (b *Builder) longest() time.Duration { return cmp.Or(b.Longest, 15*time.Minute) }

// wholeGroup lets the end of the command be that of the compilers and linkers, too, which
// it has started.
func wholeGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// check finds what can be said more clearly than the go command does.
func check(p plan.Plan) string {
	if len(p.Missing) > 0 {
		return strings.Join(p.Missing, "\n")
	}
	for _, f := range p.Files {
		file, err := parser.ParseFile(token.NewFileSet(), f, p.Text(f), parser.PackageClauseOnly)
		if err != nil {
			continue // the compiler's words are better
		}
		if got, want := file.Name.Name, p.Kata.Package(); got != want {
			return fmt.Sprintf("%s: the package is called %s; this kata's package is %s", filepath.Join(p.Label, f), got, want)
		}
		if strings.Trim(p.Name(f), letters) != "" {
			return fmt.Sprintf("%s: the name of a file may hold letters, digits, '_', '-' and '.'", filepath.Join(p.Label, f))
		}
	}
	return ""
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

// constants are the indexes of the files that stand for the kata's own.
func constants(p plan.Plan) (all []int) {
	for i, f := range p.Files {
		if slices.Contains(p.Kata.Files, p.Name(f)) {
			all = append(all, i)
		}
	}
	return all
}
