// Package build compiles a kata's tests together with the source under test: "go
// test -c -overlay" puts that source in the stub's place, so that nothing is
// copied, the build cache is shared, and a submission can bring no test.
package build

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
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
	Progress func(pkg string)

	env func() ([]string, error)

	mu   sync.Mutex
	made map[string]Binary // what was built, by what decides it
}

// New returns a builder that works in dir.
func New(dir string) *Builder {
	return &Builder{Dir: dir, env: sync.OnceValues(environment), made: map[string]Binary{}}
}

// ErrNoCompiler says that the race detector cannot be linked.
var ErrNoCompiler = errors.New("the race detector needs a C compiler and none was found: install gcc (Debian: apt install gcc; macOS: xcode-select --install)")

// A Binary is what was built.
type Binary struct {
	Path  string
	Build evidence.Build
	Sites []evidence.Site
}

// Binary compiles the plan. A source that does not compile is no error but a
// Build that is not OK; an error is the checker's own trouble (no compiler, no
// space). The same plan is compiled once, whatever its seed.
func (b *Builder) Binary(ctx context.Context, p plan.Plan) (Binary, error) {
	key := fmt.Sprint(p.Kata.Dir, "\x00", p.Source, "\x00", p.Files, p.Race, p.Vet)
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
	if problem := check(p); problem != "" {
		return done(Binary{Build: evidence.Build{Output: problem}}), nil
	}
	env, err := b.env()
	if err != nil {
		return Binary{}, err
	}
	dir, err := os.MkdirTemp(b.Dir, p.Kata.Folder+"-")
	if err != nil {
		return Binary{}, fmt.Errorf("build %s: %w", p.Kata.Folder, err)
	}
	args := []string{"test", "-c", "-v", "-trimpath", "-ldflags=-w"}
	if !p.Vet {
		args = append(args, "-vet=off")
	}
	if p.Race {
		if err := compiler(); err != nil {
			return Binary{}, err
		}
		args = append(args, "-race")
	}
	bin := Binary{Path: filepath.Join(dir, p.Kata.Package()+".test")}
	// A source that does not compile is compiled again without hooks, so that the
	// compiler's words are about the learner's text alone.
	for _, hooks := range []instrument.Hooks{instrument.Points | instrument.Sites, 0} {
		overlay, err := b.overlay(dir, p, hooks)
		if err != nil {
			return Binary{}, err
		}
		text, err := b.compile(ctx, p.Root, env, slices.Concat(args, []string{"-overlay=" + overlay, "-o", bin.Path, "./katas/" + p.Kata.Folder}))
		if err != nil {
			return Binary{}, fmt.Errorf("build %s: %w", p.Kata.Folder, err)
		}
		if text == "" {
			bin.Build.OK, bin.Sites = true, sites(p)
			return done(bin), nil
		}
		bin.Build.Output = words(text, p)
	}
	bin.Path = ""
	return done(bin), nil
}

// compile runs the go command and returns the compiler's complaints. The error is
// trouble that is not the learner's.
func (b *Builder) compile(ctx context.Context, dir string, env, args []string) (complaints string, err error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, env, 5*time.Second
	out := &output{progress: b.Progress}
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err == nil:
		return "", nil
	case !errors.As(err, &exit):
		return "", fmt.Errorf("start the go command: %w", err)
	}
	text := out.String()
	if trouble := own(text); trouble != "" {
		return "", errors.New(trouble)
	}
	return cmp.Or(strings.TrimSpace(text), err.Error()), nil
}

// check finds what can be said more clearly than the go command does.
func check(p plan.Plan) string {
	if len(p.Missing) > 0 {
		return fmt.Sprintf("%s: the file is missing; the kata needs it", filepath.Join(p.Label, p.Missing[0]))
	}
	for _, f := range p.Files {
		path := filepath.Join(p.Source, f)
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly)
		if err != nil {
			continue // the compiler's words are better
		}
		if got, want := file.Name.Name, p.Kata.Package(); got != want {
			return fmt.Sprintf("%s: the package is called %s; this kata's package is %s", filepath.Join(p.Label, f), got, want)
		}
	}
	return ""
}

// overlay writes the file for -overlay, and beside it the source under test with
// the hooks put in, and returns its path.
func (b *Builder) overlay(dir string, p plan.Plan, hooks instrument.Hooks) (string, error) {
	replace := map[string]string{}
	// What the source does not have must not be left over from the stub's folder.
	old, err := filepath.Glob(filepath.Join(p.Kata.Dir, "*.go"))
	if err != nil {
		return "", err
	}
	for _, f := range old {
		if !strings.HasSuffix(f, "_test.go") {
			replace[f] = ""
		}
	}
	for _, f := range p.Files {
		name := filepath.Join(p.Kata.Dir, p.Name(f))
		if hooks == 0 {
			replace[name] = filepath.Join(p.Source, f)
			continue
		}
		src, err := os.ReadFile(filepath.Join(p.Source, f))
		if err != nil {
			return "", fmt.Errorf("read the source: %w", err)
		}
		if src, err = instrument.File(name, src, hooks); err != nil {
			return "", fmt.Errorf("put hooks into %s: %w", f, err)
		}
		replace[name] = filepath.Join(dir, p.Name(f))
		if err := os.WriteFile(replace[name], src, 0o600); err != nil {
			return "", fmt.Errorf("write the overlay: %w", err)
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return "", fmt.Errorf("write the overlay: %w", err)
	}
	return path, nil
}

// compiler reports whether there is a C compiler for the race detector's sake.
func compiler() error {
	if runtime.GOOS == "darwin" {
		return nil // its race detector links without one
	}
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "gcc"
	}
	if _, err := exec.LookPath(strings.Fields(cc)[0]); err != nil {
		return ErrNoCompiler
	}
	return nil
}

// leakProfile is the experiment by which a program can prove that nothing can ever
// wake a goroutine.
const leakProfile = "goroutineleakprofile"

// environment is what the go command gets: its caches, and nothing by which the
// person's settings or a submission could change the build.
func environment() ([]string, error) {
	out, err := exec.Command("go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPATH").Output()
	if err != nil {
		return nil, fmt.Errorf("ask the go command for its settings: %w", err)
	}
	var where map[string]string
	if err := json.Unmarshal(out, &where); err != nil {
		return nil, fmt.Errorf("ask the go command for its settings: %w", err)
	}
	env := []string{
		"GOENV=off", "GOFLAGS=-mod=readonly -buildvcs=false", "GOWORK=off", "GOPROXY=off", "GOSUMDB=off",
		"GOTOOLCHAIN=local", "CGO_ENABLED=1", "LC_ALL=C",
	}
	for name, value := range where {
		env = append(env, name+"="+value)
	}
	// Asked for only: it has the standard library compiled once more.
	if slices.Contains(strings.Split(os.Getenv("GOEXPERIMENT"), ","), leakProfile) {
		env = append(env, "GOEXPERIMENT="+leakProfile)
	}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "CC", "GOROOT"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	slices.Sort(env)
	return env, nil
}

// own recognises trouble that is not the learner's.
func own(text string) string {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "checker/"):
			return "the checker itself does not compile: " + line
		case strings.Contains(line, "updates to go.mod needed"):
			return "go.mod is not up to date: run `go mod tidy`"
		case strings.Contains(line, "no space left on device"):
			return "no space left on the disk; make room, or set TMPDIR and GOCACHE to where there is some: " + line
		case strings.Contains(line, "module lookup disabled"), strings.Contains(line, "missing go.sum entry"):
			return "a module is not downloaded: run `go mod download` (" + line + ")"
		case strings.Contains(line, "requires go >= "):
			return line + ": install a newer Go"
		case strings.Contains(line, "permission denied") && !strings.Contains(line, ".go:"):
			return line
		}
	}
	return ""
}

// words are the compiler's, with the learner's paths, without what the go command adds.
func words(text string, p plan.Plan) string {
	var b strings.Builder
	kata := filepath.Join("katas", p.Kata.Folder)
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "FAIL") {
			continue
		}
		for _, f := range p.Files {
			shown := filepath.Join(p.Label, f)
			if rel, err := filepath.Rel(p.Root, filepath.Join(p.Source, f)); err == nil {
				line = strings.ReplaceAll(line, "./"+rel, shown)
				line = strings.ReplaceAll(line, rel+":", shown+":")
			}
			line = strings.ReplaceAll(line, filepath.Join(p.Source, f), shown)
			line = strings.ReplaceAll(line, filepath.Join(kata, p.Name(f))+":", shown+":")
		}
		b.WriteString(line)
	}
	return strings.TrimSpace(b.String())
}

// output collects what the go command prints, apart from the names of packages
// that "-v" makes it print.
type output struct {
	progress func(string)
	mu       sync.Mutex
	rest     []byte
	text     bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rest = append(o.rest, b...)
	for {
		line, rest, found := bytes.Cut(o.rest, []byte("\n"))
		if !found {
			return len(b), nil
		}
		o.rest = rest
		// A package's name, as in "internal/race" or "github.com/stretchr/testify/assert".
		if len(line) > 0 && !bytes.ContainsAny(line, " \t:#") {
			if o.progress != nil {
				o.progress(string(line))
			}
			continue
		}
		o.text.Write(line)
		o.text.WriteByte('\n')
	}
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String() + string(o.rest)
}
